import { beforeAll, describe, expect, it } from "vitest";
import type { Bound } from "../../src/bounds/bound.js";
import { elbo } from "../../src/bounds/elbo.js";
import { collectLogWeights, estimateBound } from "../../src/bounds/estimateBound.js";
import { iwae } from "../../src/bounds/iwae.js";
import { estimateMean } from "../../src/diagnostics/moments.js";
import { ready } from "../../src/engine/backend.js";
import { type Parameters as AnyParameters, leaves } from "../../src/engine/parameters.js";
import { randomKey, split } from "../../src/engine/random.js";
import { type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { amortisedGaussian } from "../../src/families/amortisedGaussian.js";
import { gammaReverse } from "../../src/families/gammaReverse.js";
import { gaussianConditional } from "../../src/families/gaussianConditional.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import { hierarchical } from "../../src/families/hierarchical.js";
import type { Hierarchy } from "../../src/families/hierarchicalFamily.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { hierarchicalNegativeBinomial } from "../../src/families/hierarchicalNegativeBinomial.js";
import { exactReverse } from "../../src/families/reverseConditional.js";
import { standardNormal } from "../../src/families/standardNormal.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import {
  hierarchicalDensityProblem,
  hierarchicalLatentVariableProblem,
  hierarchicalPosteriorProblem,
  hierarchicalProblem,
  initialParameters,
} from "../../src/marginals/hierarchicalProblem.js";
import { hvm, iwhvi, type Marginal, sivi } from "../../src/marginals/marginal.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import type { MlpParameters } from "../../src/models/mlp.js";
import { drawLogWeights, type NoParameters } from "../../src/models/problem.js";
import { vae } from "../../src/models/vae.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as maximise } from "../../src/optimize/fit.js";
import { expectClose, read } from "../engine/support.js";
import { expectedEstimate } from "./linearGaussianTruth.js";

beforeAll(async () => {
  await ready();
});

// q(z) = N(.5, .9² + .6²) for the conjugate model's posterior N(1, ½) at x = 2.
const q = { slope: 0.9, shift: 0.5, scale: 0.6 };
const family = hierarchicalLinearGaussian({ dimension: 1 });
const phi = () => ({
  slope: tf.tensor2d([[q.slope]]),
  shift: tf.tensor2d([[q.shift]]),
  logScale: tf.tensor2d([[Math.log(q.scale)]]),
});
const tau = (z: number) => ({ mean: 0.5 * z, scale: 0.7 });
const reverse = gaussianReverse({ latent: 1, mixing: 1, hidden: [], fromMixing: false });
const eta = (): MlpParameters => ({
  layers: [{ weights: tf.tensor2d([[0.5, 0]]), bias: tf.tensor1d([0, Math.log(0.7)]) as Tensor1D }],
});
const x = 2;
const problemOf = <Eta extends MlpParameters | NoParameters>(marginal: Marginal<Eta>) =>
  hierarchicalLatentVariableProblem({ model: conjugateGaussian, family, marginal, x: tf.tensor2d([[x]]), scale: 1 });

describe("a marginal inside a bound", () => {
  const estimate = async <Eta extends MlpParameters | NoParameters>(
    marginal: Marginal<Eta>,
    tauParameters: Eta,
    bound: Bound,
    samples: number,
  ) =>
    estimateBound({
      problem: problemOf(marginal),
      bound,
      theta: {},
      phi: { q: phi(), tau: tauParameters },
      samples,
      replicates: Math.ceil(40000 / samples),
      key: randomKey(`${bound.name} ${samples}`),
    });

  it("with the ELBO is HVM, SIVI and IWHVI, of the values that quadrature gives", async () => {
    const elboOfQ = conjugateGaussian.elbo(x, { mean: q.shift, scale: Math.hypot(q.slope, q.scale) });
    const entropy = -expectedEstimate(q, tau, 0, true) + (await gapOf(tau, 0));
    const prior = () => ({ mean: 0, scale: 1 });
    const cases = [
      [await estimate(hvm({ reverse }), eta(), elbo, 1), await gapOf(tau, 0)],
      [await estimate(sivi({ samples: 4 }), {}, elbo, 1), await gapOf(prior, 4)],
      [await estimate(iwhvi({ reverse, samples: 4 }), eta(), elbo, 1), await gapOf(tau, 4)],
      [await estimate(iwhvi({ reverse: exactReverse, samples: 4 }), {}, elbo, 1), 0],
    ] as const;
    expect(entropy).toBeCloseTo(Math.log(Math.hypot(q.slope, q.scale)) + Math.log(2 * Math.PI * Math.E) / 2, 6);
    for (const [{ value, standardError }, gap] of cases) {
      expect(Math.abs(value - (elboOfQ - gap)) / standardError).toBeLessThan(4);
      expect(standardError).toBeLessThan(0.02);
    }
    async function gapOf(auxiliary: Parameters<typeof expectedEstimate>[1], samples: number): Promise<number> {
      const truth = -Math.log(Math.hypot(q.slope, q.scale)) - Math.log(2 * Math.PI * Math.E) / 2;
      return expectedEstimate(q, auxiliary, samples, true) - truth;
    }
  });

  it("with IWAE is DIWHVI: it rises with M and with K, and stays below log p(x)", async () => {
    const grid = await Promise.all(
      [0, 5].map((k) => Promise.all([1, 8].map((m) => estimate(iwhvi({ reverse, samples: k }), eta(), iwae, m)))),
    );
    const [[none, many], [deep, both]] = grid;
    const below = (low: typeof none, high: typeof none) => {
      expect(high.value - low.value).toBeGreaterThan(4 * Math.hypot(low.standardError, high.standardError));
    };
    below(none, many);
    below(none, deep);
    below(many, both);
    below(deep, both);
    expect(both.value).toBeLessThan(conjugateGaussian.logEvidence(x) + 4 * both.standardError);
    expect(conjugateGaussian.logEvidence(x) - both.value).toBeLessThan(0.05);
  });

  it("has weights whose mean is p(x), for any τ, K and M", async () => {
    for (const samples of [0, 3]) {
      const [logW] = await collectLogWeights({
        problem: problemOf(iwhvi({ reverse, samples })),
        theta: {},
        phi: { q: phi(), tau: eta() },
        samples: 40000,
        key: randomKey(60 + samples),
      });
      const { value, standardError } = estimateMean(logW.map(Math.exp));
      expect(Math.abs(value - Math.exp(conjugateGaussian.logEvidence(x))) / standardError).toBeLessThan(4);
    }
  });
});

describe("hierarchicalProblem", () => {
  const deepFamily = hierarchical({
    mixing: amortisedGaussian({ latent: 3, observed: 5, hidden: [6] }),
    conditional: gaussianConditional({ latent: 2, mixing: 3, observed: 5, hidden: [6], scale: "network" }),
  });
  const marginal = iwhvi({ reverse: gaussianReverse({ latent: 2, mixing: 3, observed: 5, hidden: [6] }), samples: 3 });
  const model = vae({ latent: 2, observed: 5, hidden: [4] });
  const data = () =>
    tf.cast(tf.greater(tf.tensor2d([0.1, 0.9, 0.6, 0.2, 0.7, 0.3, 0.8, 0.1, 0.9, 0.4], [2, 5]), 0.5), "float32");

  it("draws and weighs in one what it does in two, and leaves nothing behind", () => {
    const problem = hierarchicalLatentVariableProblem({
      model,
      family: deepFamily,
      marginal,
      x: data() as Tensor2D,
      scale: 3,
    });
    const at = { theta: model.init(randomKey(1)), phi: initialParameters(deepFamily, marginal, randomKey(2)) };
    expect([problem.batchSize, problem.scale]).toEqual([2, 3]);
    const before = tf.memory().numTensors;
    const { z, logW, reparameterised } = drawLogWeights(problem, { ...at, samples: 4, key: randomKey(3) });
    expect(tf.memory().numTensors - before).toBe(3);
    expect(reparameterised).toBe(true);
    const [first, second] = split(randomKey(3));
    const draws = problem.sample(at.phi, first, 4);
    expect(read(draws.z)).toEqual(read(tf.clone(z.z)));
    expect(read(draws.psi)).toEqual(read(tf.clone(z.psi)));
    const logQ = problem.logQ(at.phi, z, second);
    const logP = problem.logP(at.theta, z);
    expectClose(read(tf.sub(logP, logQ)), read(logW), 1e-6);
    tf.dispose([logP, logQ, z.z, z.psi]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("asks no path of a q without parameters, and one of every other", () => {
    const counts = hierarchicalNegativeBinomial({ dimension: 1 });
    const at = { logConcentration: tf.zeros([1, 1]) as Tensor2D, logRate: tf.zeros([1, 1]) as Tensor2D };
    const marginalOfRates = iwhvi({ reverse: gammaReverse({ latent: 1, mixing: 1, hidden: [] }), samples: 2 });
    const problemOf = <Phi extends AnyParameters>(hierarchy: (q: Phi) => Hierarchy) =>
      hierarchicalDensityProblem({
        logDensity: (z) => tf.sum(z, -1),
        marginal: marginalOfRates,
        family: { dimension: 1, mixingDimension: 1, hierarchy },
      });
    const tau = marginalOfRates.reverse.init(randomKey(1));
    const point = { theta: {}, samples: 2, key: randomKey(2), bound: elbo };
    const fixed = problemOf((_: NoParameters) => counts.hierarchy(at));
    expect(() => reparameterised({ ...point, problem: fixed, phi: { q: {}, tau } })).not.toThrow();
    const free = problemOf(counts.hierarchy);
    expect(() => reparameterised({ ...point, problem: free, phi: { q: at, tau } })).toThrow(
      "no gradient flows through the draws of this q",
    );
  });

  it("evaluates the model once a latent, whatever K is", () => {
    let evaluated = 0;
    const counting = {
      ...model,
      logJoint: (...args: Parameters<typeof model.logJoint>) => {
        evaluated += args[1].shape[0] * args[1].shape[1];
        return model.logJoint(...args);
      },
    };
    const problem = hierarchicalLatentVariableProblem({
      model: counting,
      family: deepFamily,
      marginal: iwhvi({ reverse: marginal.reverse, samples: 50 }),
      x: data() as Tensor2D,
      scale: 1,
    });
    const phi = initialParameters(deepFamily, marginal, randomKey(2));
    drawLogWeights(problem, { theta: model.init(randomKey(1)), phi, samples: 4, key: randomKey(3) });
    expect(evaluated).toBe(4 * 2);
  });

  it("gives one row of data the same weights alone and in a batch, up to its draws: each is looked at by itself", () => {
    const row = data() as Tensor2D;
    const at = initialParameters(deepFamily, marginal, randomKey(2));
    const both = tf.tidy(() =>
      deepFamily
        .hierarchy(at.q, row)
        .conditional(tf.ones([1, 2, 3]))
        .mean()
        .arraySync(),
    ) as number[][][];
    const alone = tf.tidy(() =>
      deepFamily
        .hierarchy(at.q, tf.slice(row, [1, 0], [1, -1]))
        .conditional(tf.ones([1, 1, 3]))
        .mean()
        .arraySync(),
    ) as number[][][];
    expectClose(alone[0][0], both[0][1], 1e-6);
    expect(both[0][0]).not.toEqual(both[0][1]);
  });

  it("takes a global latent, scaled as posteriorProblem scales it", () => {
    const rows = tf.tensor2d([[1], [3]]);
    const problem = hierarchicalPosteriorProblem({
      logPrior: (z) => normalLogDensity(z, 0, 1, 1),
      logLikelihood: (z, batch) => normalLogDensity(tf.squeeze(z, [2]), tf.squeeze(batch, [1]), 1),
      family,
      marginal: sivi({ samples: 2 }),
      x: rows,
      scale: 10,
    });
    const [z, half] = [0.5, Math.log(2 * Math.PI) / 2];
    const expected = -(z * z) / 2 - half + 10 * (-((1 - z) ** 2 + (3 - z) ** 2) / 2 - 2 * half);
    const draws = { z: tf.tensor3d([[[z]]]), psi: tf.zeros([1, 1, 1]) as Tensor3D };
    expectClose(read(problem.logP({}, draws)), [expected], 1e-6);
  });

  it("says what is wrong", () => {
    const wide = hierarchicalLinearGaussian({ dimension: 1, batchSize: 3 });
    const wrong = hierarchicalProblem({
      target: { batchSize: 1, scale: 1, logP: () => tf.zeros([1, 1]) as Tensor2D },
      family: wide,
      marginal: sivi({ samples: 1 }),
    });
    expect(() => wrong.sample({ q: wide.init(randomKey(1)), tau: {} }, randomKey(1), 2)).toThrow(
      "q's draws have the shape [2, 3, 1], but need [2, 1, 1]",
    );
    const parts = { family: deepFamily, marginal, x: data() as Tensor2D };
    expect(() => hierarchicalLatentVariableProblem({ ...parts, model, scale: 0 })).toThrow("scale must be N/S");
    expect(() => hierarchicalLatentVariableProblem({ ...parts, model: conjugateGaussian, scale: 1 })).toThrow(
      "the model has 1 latent dimensions, the family 2",
    );
    expect(() =>
      hierarchical({
        mixing: standardNormal({ dimension: 3 }),
        conditional: gaussianConditional({ latent: 2, mixing: 4, hidden: [] }),
      }),
    ).toThrow("the mixing family has 3 dimensions, but the conditional takes ψ of 4");
    const amortised = deepFamily.init(randomKey(1));
    expect(() => deepFamily.hierarchy(amortised, tf.zeros([2, 4]) as Tensor2D)).toThrow("amortisedGaussian: x");
  });
});

describe("a semi-implicit fit", () => {
  it("comes as close to two modes as a Gaussian cannot", async () => {
    // ½ N(−2, 1) + ½ N(2, 1), normalised: the bound is −KL.
    const logDensity = (z: Tensor3D) =>
      tf.sub(tf.logSumExp(tf.stack([normalLogDensity(z, -2, 1, 1), normalLogDensity(z, 2, 1, 1)]), 0), Math.LN2);
    const family = hierarchical({
      mixing: standardNormal({ dimension: 2 }),
      conditional: gaussianConditional({ latent: 1, mixing: 2, hidden: [16, 16] }),
    });
    const marginal = iwhvi({ reverse: gaussianReverse({ latent: 1, mixing: 2, hidden: [16] }), samples: 5 });
    const problem = hierarchicalDensityProblem({ logDensity, family, marginal });
    const key = randomKey(7);
    const before = tf.memory().numTensors;
    const start = initialParameters(family, marginal, key);
    const fitted = await maximise({
      problem,
      init: { phi: start },
      bound: elbo,
      samples: 40,
      optimizer: adam({ learningRate: 0.01 }),
      steps: 400,
      key,
    });
    const { value, standardError } = await estimateBound({
      problem,
      theta: {},
      phi: fitted.phi,
      bound: elbo,
      samples: 1,
      replicates: 4000,
      key: randomKey(8),
    });
    // The best Gaussian, N(0, 2.05²), is .2265 nats away (by quadrature).
    expect(-value + 4 * standardError).toBeLessThan(0.1);
    expect(-value).toBeGreaterThan(-4 * standardError);
    fitted.dispose();
    expect(tf.memory().numTensors - before).toBe(leaves(start).length);
  });
});
