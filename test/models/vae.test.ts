import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { collectLogWeights, estimateBound, estimateBoundOverData } from "../../src/bounds/estimateBound.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters } from "../../src/engine/parameters.js";
import { normal, randomKey, split } from "../../src/engine/random.js";
import { type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { amortisedGaussian } from "../../src/families/amortisedGaussian.js";
import { logEvidence } from "../../src/models/logEvidence.js";
import { mlp, withOutputBias } from "../../src/models/mlp.js";
import { latentVariableProblem } from "../../src/models/problem.js";
import { vae } from "../../src/models/vae.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { minibatches } from "../../src/optimize/minibatches.js";
import { expectClose, expectNoLeak, read } from "../engine/support.js";
import { exactEncoder, exactLogEvidence, linearGaussian } from "./linearGaussian.js";

beforeAll(async () => {
  await ready();
});

const bits = (): Tensor2D =>
  tf.tensor2d([
    [1, 0, 1, 1],
    [0, 0, 1, 0],
    [1, 1, 0, 1],
  ]);

describe("mlp", () => {
  it("is the composition of its layers, on any leading dimensions", () => {
    const net = mlp({ sizes: [2, 3, 1], activation: "softplus" });
    const parameters = net.init(randomKey(1));
    const [first, second] = parameters.layers.map(({ weights }) => weights.arraySync());
    const at = (x: number[]) =>
      second.reduce((sum, [w], j) => sum + w * Math.log1p(Math.exp(x[0] * first[0][j] + x[1] * first[1][j])), 0);
    const x = [0.4, -1, 2, 0.1];
    const y = net.apply(parameters, tf.tensor(x, [1, 2, 2]));
    expect(y.shape).toEqual([1, 2, 1]);
    expectClose(read(y), [at(x.slice(0, 2)), at(x.slice(2))], 1e-6);
    const row = tf.tensor2d([[1, 2]]);
    expectNoLeak(() => net.apply(parameters, row));
  });

  it("starts with Glorot's variance 2/(in + out) within its limits, and biases of zero", () => {
    const [inner, outer] = [300, 100];
    const { layers } = mlp({ sizes: [inner, outer], activation: "tanh" }).init(randomKey(2));
    const weights = read(layers[0].weights);
    const limit = Math.sqrt(6 / (inner + outer));
    expect(Math.max(...weights.map(Math.abs))).toBeLessThanOrEqual(limit);
    const variance = weights.reduce((sum, w) => sum + w * w, 0) / weights.length;
    // s.e. of the second moment of a uniform: (4/45)^½ limit² / √n = .0017 of 2/(in + out), in units of it .0052
    expect(Math.abs(variance / (2 / (inner + outer)) - 1)).toBeLessThan(4 * 0.0052);
    expect(new Set(read(layers[0].bias))).toEqual(new Set([0]));
  });

  it("starts layers of one size apart", () => {
    const { layers } = mlp({ sizes: [3, 3, 3], activation: "tanh" }).init(randomKey(2));
    const [first, second] = layers.map(({ weights }) => read(weights));
    first.forEach((value, i) => {
      expect(value).not.toBe(second[i]);
    });
  });

  it("refuses sizes and inputs that make no sense", () => {
    expect(() => mlp({ sizes: [3], activation: "relu" })).toThrow("at least the size of the input");
    expect(() => mlp({ sizes: [3, 0], activation: "relu" })).toThrow("[3, 0]");
    const net = mlp({ sizes: [2, 1], activation: "relu" });
    const parameters = net.init(randomKey(1));
    expect(() => net.apply(parameters, tf.zeros([4, 3]))).toThrow("the input");
    expect(() => withOutputBias(parameters, tf.zeros([2]) as Tensor1D)).toThrow("withOutputBias");
  });
});

describe("vae", () => {
  const model = vae({ latent: 2, observed: 4, hidden: [5] });

  it("has the joint log-density of prior and bits", () => {
    const theta = model.init(randomKey(1));
    const x = bits();
    const z = normal(randomKey(2), [6, 3, 2]) as Tensor3D;
    const logits = model.logits(theta, z).arraySync() as number[][][];
    const [zs, xs] = [z.arraySync(), x.arraySync()];
    const expected = zs.flatMap((row, k) =>
      row.map(([a, b], n) => {
        const prior = -(a * a + b * b) / 2 - Math.log(2 * Math.PI);
        return xs[n].reduce((sum, bit, p) => {
          const mean = 1 / (1 + Math.exp(-logits[k][n][p]));
          return sum + Math.log(bit === 1 ? mean : 1 - mean);
        }, prior);
      }),
    );
    expectClose(read(model.logJoint(theta, z, x)), expected, 1e-5);
    expectClose(
      read(model.decode(theta, z)).slice(0, 4),
      logits[0][0].map((l) => 1 / (1 + Math.exp(-l))),
      1e-6,
    );
    expectNoLeak(() => [model.logJoint(theta, z, x), model.decode(theta, z)]);
  });

  it("has the same likelihood for all pairs at once as one by one", () => {
    const theta = model.init(randomKey(1));
    const x = bits();
    const z = normal(randomKey(2), [6, 2]) as Tensor2D;
    const each = tf.tile(tf.expandDims(z, 1), [1, 3, 1]) as Tensor3D; // [6, 3, 2]
    const logPrior = tf.sub(tf.mul(-0.5, tf.sum(tf.square(each), 2)), Math.log(2 * Math.PI));
    expectClose(
      read(model.logLikelihoodMatrix(theta, z, x)),
      read(tf.sub(model.logJoint(theta, each, x), logPrior)),
      1e-5,
    );
  });

  it("starts its output bias at the logits of the data's means, clipped", () => {
    const x = bits();
    const before = tf.memory().numTensors;
    const theta = model.init(randomKey(1), x);
    expect(tf.memory().numTensors - before).toBe(4);
    const logit = (mean: number) => Math.log(mean / (1 - mean));
    expectClose(read(theta.layers[1].bias), [2 / 3, 1 / 3, 2 / 3, 2 / 3].map(logit), 1e-5);
    expectClose(
      read(model.init(randomKey(1), tf.tensor2d([[1, 0, 1, 1]])).layers[1].bias),
      [0.999, 0.001, 0.999, 0.999].map(logit),
      1e-4,
    );
    expect(() => model.init(randomKey(1), tf.zeros([0, 4]) as Tensor2D)).toThrow("the data are empty");
    expect(() => model.logJoint(theta, tf.zeros([1, 2, 2]) as Tensor3D, x)).toThrow("vae: x");
  });

  it("gets better with training, and its bounds stay below the exact log p(x)", async () => {
    const family = amortisedGaussian({ latent: 2, observed: 4, hidden: [8] });
    const data = tf.tile(
      tf.tensor2d([
        [1, 1, 0, 0],
        [0, 0, 1, 1],
        [1, 1, 0, 1],
      ]),
      [10, 1],
    ) as Tensor2D;
    const [one, two, three] = split(randomKey(7), 3);
    const init = { theta: model.init(one, data), phi: family.init(two) };
    const evidence = async (theta: typeof init.theta) => (await logEvidence({ model, theta, x: data })).mean.value;
    const at = async (phi: typeof init.phi, theta: typeof init.theta, samples: number) =>
      estimateBoundOverData({
        data,
        problem: (x) => latentVariableProblem({ model, family, x, scale: 1 }),
        theta,
        phi,
        bound: iwae,
        samples,
        key: three,
      });
    const before = await evidence(init.theta);
    const { theta, phi } = await fitProblem({
      problem: ({ x, scale }) => latentVariableProblem({ model, family, x, scale }),
      batches: minibatches({ data, size: 15, key: randomKey(1) }),
      init,
      bound: iwae,
      samples: 5,
      optimizer: adam({ learningRate: 0.02 }),
      steps: 150,
      key: randomKey(2),
    });
    const after = await evidence(theta);
    expect(after).toBeGreaterThan(before + 0.5);
    expect(after).toBeLessThan(-Math.log(3)); // entropy of the three patterns: no model can do better
    const [low, high] = [await at(phi, theta, 1), await at(phi, theta, 200)];
    expect(low.value).toBeLessThan(high.value);
    expect(high.value).toBeLessThan(after + 0.02);
    expect(high.value).toBeGreaterThan(after - 0.05);
  });
});

describe("the linear-Gaussian model", () => {
  const rows = [
    [0.3, -1, 2],
    [1.4, 0.2, 3],
    [-3, 2, 1],
  ];

  it("is touched by the ELBO at its exact posterior, sample by sample", async () => {
    const family = amortisedGaussian({ latent: 2, observed: 3, hidden: [] });
    const problem = latentVariableProblem({ model: linearGaussian, family, x: tf.tensor2d(rows), scale: 1 });
    const columns = await collectLogWeights({
      problem,
      theta: {},
      phi: exactEncoder(),
      samples: 50,
      key: randomKey(1),
    });
    columns.forEach((logW, b) => {
      expectClose(Array.from(logW), new Array(50).fill(exactLogEvidence(rows[b])), 2e-6);
    });
    const { perDatum } = await estimateBound({
      problem,
      theta: {},
      phi: exactEncoder(),
      samples: 3,
      key: randomKey(1),
      bound: elbo,
    });
    expectClose(Array.from(perDatum), rows.map(exactLogEvidence), 2e-6);
  });

  it("has the log-evidence that quadrature gives, with an honest error", async () => {
    const x = tf.tensor2d(rows);
    const options = { model: linearGaussian, theta: {}, x, extent: 8 };
    const before = tf.memory().numTensors;
    const fine = await logEvidence({ ...options, points: 81 });
    expect(tf.memory().numTensors).toBe(before);
    expectClose(Array.from(fine.logEvidence), rows.map(exactLogEvidence), 2e-6);
    expect(fine.largestError).toBeLessThan(1e-5);
    // A grid too coarse for the posterior says so: the stated error is above the true one.
    const coarse = await logEvidence({ ...options, points: 13 });
    const truth = rows.map((row, b) => Math.abs(coarse.logEvidence[b] - exactLogEvidence(row)));
    expect(Math.max(...truth)).toBeGreaterThan(1e-4);
    expect(coarse.largestError).toBeGreaterThan(Math.max(...truth));
  });

  it("gives the points at the ends half their weight", async () => {
    // A likelihood of 1 leaves the prior's mass: ∫_{−1}^{1} N(z; 0, 1) dz, squared in two dimensions.
    for (const dimension of [1, 2]) {
      const model = {
        dimension,
        logLikelihoodMatrix: (_theta: object, z: Tensor2D) => tf.zeros([z.shape[0], 1]) as Tensor2D,
      };
      const found = await logEvidence({ model, theta: {}, x: tf.zeros([1, 1]) as Tensor2D, extent: 1 });
      expect(found.logEvidence[0]).toBeCloseTo(dimension * Math.log(0.682689492), 4);
    }
  });

  it("refuses grids that make no sense", async () => {
    const options = { model: linearGaussian, theta: {}, x: tf.tensor2d(rows) };
    await expect(logEvidence({ ...options, points: 20 })).rejects.toThrow("odd number");
    await expect(logEvidence({ ...options, extent: -1 })).rejects.toThrow("extent");
    await expect(logEvidence({ ...options, x: tf.zeros([0, 3]) as Tensor2D })).rejects.toThrow("empty");
    await expect(
      logEvidence({
        ...options,
        x: tf.tensor2d([
          [0, 1, 2],
          [3, Number.NaN, 4],
        ]),
      }),
    ).rejects.toThrow("logEvidence: x[1, 1] is NaN");
    await expect(logEvidence({ ...options, model: { ...linearGaussian, dimension: 3 } })).rejects.toThrow(
      "one or two latent dimensions, not 3",
    );
  });
});

describe("disposing", () => {
  it("frees a model's parameters", () => {
    const before = tf.memory().numTensors;
    disposeParameters(vae({ latent: 2, observed: 4, hidden: [5] }).init(randomKey(1)));
    expect(tf.memory().numTensors).toBe(before);
  });
});
