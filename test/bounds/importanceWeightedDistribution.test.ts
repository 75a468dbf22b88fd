import { beforeAll, describe, expect, it } from "vitest";
import { estimateBound } from "../../src/bounds/estimateBound.js";
import { exactIwae, exactLogTilt, exactMarginalElbo } from "../../src/bounds/exactImportanceWeighted.js";
import { importanceWeightedDistribution } from "../../src/bounds/importanceWeightedDistribution.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey, split } from "../../src/engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import { densityProblem, latentVariableProblem } from "../../src/models/problem.js";
import { eightGaussians } from "../../src/models/toyDensities.js";
import { expectClose, kolmogorovSmirnov, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const prior = { mean: 0, scale: 1 };
const family = meanFieldGaussian({ dimension: 1 });

/** x = 2 under the conjugate Gaussian, with q = prior. */
function conjugate(k: number) {
  const problem = latentVariableProblem({ model: conjugateGaussian, family, x: tf.tensor2d([[2]]), scale: 1 });
  const at = {
    problem,
    theta: {},
    phi: { mean: tf.zeros([1, 1]) as Tensor2D, logScale: tf.zeros([1, 1]) as Tensor2D },
  };
  return { ...at, samples: k, q: importanceWeightedDistribution({ ...at, samples: k }) };
}

const weights = conjugateGaussian.weightDistribution(2, prior);
const nodes = Float64Array.from({ length: 2001 }, (_, i) => -14 + (28 * i) / 2000);

describe("the batch-conditional density", () => {
  it("makes L_VAE[q_IW] equal L_IWAE[q] batch by batch", () => {
    for (const k of [1, 2, 7]) {
      const { problem, phi, q } = conjugate(k);
      const z = problem.sample(phi, randomKey(k), k);
      const logW = tf.sub(problem.logP({}, z), problem.logQ(phi, z, randomKey(0))) as Tensor2D;
      // Σ_i w̃_i [log p(x, z_i) − log q_IW(z_i | z_\i)]: the average over j ~ Cat(w̃) of the ELBO's integrand.
      const elboOfQ = tf.sum(tf.mul(iwae.weights(logW), tf.sub(problem.logP({}, z), q.batchConditionalLogProb(z))), 0);
      expectClose(read(elboOfQ), read(iwae.value(logW)), 1e-5);
    }
  });

  it("is k w̃_i q(z_i), and q itself for k = 1", () => {
    const { problem, phi, q } = conjugate(4);
    const z = problem.sample(phi, randomKey(9), 4);
    const logW = tf.sub(problem.logP({}, z), problem.logQ(phi, z, randomKey(0))) as Tensor2D;
    expectClose(read(q.batchConditionalLogWeight(z)), read(tf.log(tf.mul(4, iwae.weights(logW)))), 1e-5);
    expectClose(
      read(tf.sub(q.batchConditionalLogProb(z), q.batchConditionalLogWeight(z))),
      read(problem.logQ(phi, z, randomKey(0))),
      1e-5,
    );
    const single = conjugate(1);
    const one = single.problem.sample(phi, randomKey(2), 1);
    expectClose(read(single.q.batchConditionalLogProb(one)), read(single.problem.logQ(phi, one, randomKey(0))), 1e-6);
  });

  it.each([
    [1, -3.418939],
    [2, -2.757902],
  ])("has the exact L_%i = %f in expectation", async (k, published) => {
    expect(exactIwae(weights, k)).toBeCloseTo(published, 6);
    const { value, standardError } = await estimateBound({
      ...conjugate(k),
      bound: iwae,
      replicates: 4000,
      key: randomKey(3),
    });
    expect(Math.abs(value - published)).toBeLessThan(4 * standardError);
    expect(standardError).toBeLessThan(0.05);
  });
});

describe("the marginal q_EW", () => {
  it("draws anew in each pass where the proposals do not fit into one", async () => {
    const draws = read(conjugate(32).q.sample(randomKey(1), 1 << 14));
    expect(new Set(draws).size).toBeGreaterThan(0.99 * draws.length);
    const { q } = conjugate(33);
    const points = tf.tensor2d([[1]]);
    const density = async (batches: number) =>
      (await q.marginalDensity({ points, batches, key: randomKey(1) })).density;
    const [half, whole] = [await density(1 << 13), await density(1 << 14)];
    expect(Math.abs(whole[0] / half[0] - 1)).toBeGreaterThan(1e-9); // equal, were the second half the first again
  });

  it.each([2, 5])("is what `sample` draws from, k = %i", (k) => {
    const tilt = exactLogTilt(weights, k, weights.logWeights);
    const cdf = new Float64Array(nodes.length);
    let sum = 0;
    tilt.forEach((value, i) => {
      const mass = weights.probabilities[i] * Math.exp(value);
      cdf[i] = sum + mass / 2;
      sum += mass;
    });
    const draws = conjugate(k).q.sample(randomKey(11), 20_000);
    expect(draws.shape).toEqual([20_000, 1, 1]);
    const distance = kolmogorovSmirnov(read(draws), (z) => {
      const place = ((z + 14) / 28) * 2000;
      const left = Math.floor(place);
      return cdf[left] + (place - left) * (cdf[left + 1] - cdf[left]);
    });
    expect(distance).toBeLessThan(1.95); // probability .001
  });

  it.each([1, 2, 10])("has the exact density within its standard errors, k = %i", async (k) => {
    const grid = [-1.5, -0.2, 0.4, 1, 1.7, 2.9];
    const points = tf.tensor2d(grid, [6, 1]);
    const { density, standardError } = await conjugate(k).q.marginalDensity({
      points,
      batches: 20_000,
      key: randomKey(4),
    });
    const logW = Float64Array.from(grid, (z) => -((2 - z) ** 2) / 2 - Math.log(2 * Math.PI) / 2);
    exactLogTilt(weights, k, logW).forEach((tilt, i) => {
      const truth = Math.exp(tilt - grid[i] ** 2 / 2) / Math.sqrt(2 * Math.PI);
      if (k === 1) expect(standardError[i]).toBe(0);
      expect(Math.abs(density[i] - truth)).toBeLessThanOrEqual(4 * standardError[i] + 1e-6 * truth);
      expect(standardError[i]).toBeLessThan(0.02 * truth);
    });
  });

  it("keeps several data apart: each has its own density, and the ELBO is their mean", async () => {
    const [k, x] = [3, [2, -1.5]];
    const family = meanFieldGaussian({ dimension: 1, batchSize: 2 });
    const q = importanceWeightedDistribution({
      problem: latentVariableProblem({ model: conjugateGaussian, family, x: tf.tensor2d(x, [2, 1]), scale: 1 }),
      theta: {},
      phi: { mean: tf.zeros([2, 1]) as Tensor2D, logScale: tf.zeros([2, 1]) as Tensor2D },
      samples: k,
    });
    const laws = x.map((value) => conjugateGaussian.weightDistribution(value, prior));
    const grid = [-1, 0.2, 1.3];
    const points = tf.tensor3d(grid.map((z) => [[z], [z]]));
    const { density, standardError } = await q.marginalDensity({ points, batches: 10_000, key: randomKey(8) });
    x.forEach((value, b) => {
      const logW = Float64Array.from(grid, (z) => -((value - z) ** 2) / 2 - Math.log(2 * Math.PI) / 2);
      exactLogTilt(laws[b], k, logW).forEach((tilt, g) => {
        const truth = Math.exp(tilt - grid[g] ** 2 / 2) / Math.sqrt(2 * Math.PI);
        const i = 2 * g + b;
        expect(Math.abs(density[i] - truth)).toBeLessThan(4 * standardError[i]);
        expect(standardError[i]).toBeLessThan(0.02 * truth);
      });
    });
    const truth = laws.reduce((sum, law) => sum + exactMarginalElbo(law, k) / 2, 0);
    const { midpoint } = await q.marginalElbo({ key: randomKey(9), replicates: 40, draws: 200, batches: 200 });
    expect(Math.abs(midpoint.value - truth)).toBeLessThan(4 * midpoint.standardError);
    expect(midpoint.standardError).toBeLessThan(0.02);
  });

  it("integrates to one in expectation over batches, on the paper's grid", async () => {
    const problem = densityProblem({
      logDensity: eightGaussians.logDensity,
      family: meanFieldGaussian({ dimension: 2 }),
    });
    const phi = { mean: tf.zeros([1, 2]) as Tensor2D, logScale: tf.fill([1, 2], 0.5) as Tensor2D };
    const step = 0.2;
    const points = tf.tensor2d(
      Array.from({ length: 101 ** 2 }, (_, i) => [-10 + step * Math.floor(i / 101), -10 + step * (i % 101)]),
    );
    for (const k of [1, 10]) {
      const q = importanceWeightedDistribution({ problem, theta: {}, phi, samples: k });
      const { value, standardError } = (await q.marginalDensity({ points, batches: 200, key: randomKey(5) })).integral(
        step ** 2,
      );
      expect(Math.abs(value - 1)).toBeLessThan(4 * standardError + 1e-5); // 1e-5: float32 densities
      expect(standardError).toBeLessThan(0.05);
      if (k === 1) expect(standardError).toBeLessThan(1e-12);
    }
  });

  it("has its ELBO between the two bounds, which a plug-in estimate is not", async () => {
    for (const [k, truth] of [
      [2, -2.590961],
      [5, exactMarginalElbo(weights, 5)],
    ]) {
      expect(exactMarginalElbo(weights, k)).toBeCloseTo(truth, 6);
      const { q } = conjugate(k);
      const tight = await q.marginalElbo({ key: randomKey(6), replicates: 60, draws: 200, batches: 200 });
      expect(tight.lower.value).toBeLessThan(truth + 4 * tight.lower.standardError);
      expect(tight.upper.value).toBeGreaterThan(truth - 4 * tight.upper.standardError);
      expect(Math.abs(tight.midpoint.value - truth)).toBeLessThan(4 * tight.midpoint.standardError);
      expect(tight.midpoint.standardError).toBeLessThan(0.02);
      expect(truth).toBeGreaterThan(exactIwae(weights, k)); // the marginal gives more than the batch-conditional
    }
    // With one batch the bias of the plug-in estimate shows, on either side.
    const loose = await conjugate(2).q.marginalElbo({ key: randomKey(7), replicates: 1000, draws: 10, batches: 1 });
    expect(loose.upper.value + 2.590961).toBeGreaterThan(4 * loose.upper.standardError);
    expect(-2.590961 - loose.lower.value).toBeGreaterThan(4 * loose.lower.standardError);
  });

  it("for k = 1 has one value for both bounds, the ELBO of q", async () => {
    const { lower, upper } = await conjugate(1).q.marginalElbo({ key: randomKey(8), replicates: 50, draws: 200 });
    expect(lower.value).toBeCloseTo(upper.value, 12);
    expect(Math.abs(lower.value + 3.418939)).toBeLessThan(4 * lower.standardError);
  });

  it("turns the ELBO into a divergence, bounds swapped", async () => {
    const options = { key: randomKey(8), replicates: 10, draws: 20, batches: 10 };
    const { q } = conjugate(3);
    const elbo = await q.marginalElbo(options);
    const divergence = await q.marginalDivergence({ ...options, logEvidence: -2.265512 });
    expect(divergence.lower.value).toBeCloseTo(-2.265512 - elbo.upper.value, 12);
    expect(divergence.upper.value).toBeCloseTo(-2.265512 - elbo.lower.value, 12);
    expect(divergence.lower.value).toBeLessThan(divergence.upper.value);
  });
});

describe("importanceWeightedDistribution", () => {
  it("serves several data at once and keeps them apart", async () => {
    const x = tf.tensor2d([[2], [-2], [0]]);
    const wide = meanFieldGaussian({ dimension: 1, batchSize: 3 });
    const problem = latentVariableProblem({ model: conjugateGaussian, family: wide, x, scale: 1 });
    const phi = { mean: tf.zeros([3, 1]) as Tensor2D, logScale: tf.zeros([3, 1]) as Tensor2D };
    const q = importanceWeightedDistribution({ problem, theta: {}, phi, samples: 20 });
    const draws = q.sample(randomKey(1), 4000);
    expect(draws.shape).toEqual([4000, 3, 1]);
    const means = read(tf.mean(draws, [0, 2]));
    expect(means[0]).toBeGreaterThan(0.8);
    expect(means[1]).toBeLessThan(-0.8);
    expect(Math.abs(means[2])).toBeLessThan(0.1);
    const points = tf.tensor3d(new Float32Array(6), [2, 3, 1]);
    const { density } = await q.marginalDensity({ points, batches: 50, key: randomKey(2) });
    expect(density).toHaveLength(6);
    expect(density[2]).toBeGreaterThan(2 * density[0]); // at z = 0 the datum 0 has the most mass
    expect(density[3]).toBeCloseTo(density[0], 12);
  });

  it("gives the same numbers for the same key, and leaves no tensor behind", async () => {
    const { q } = conjugate(3);
    expect(read(q.sample(randomKey(1), 5))).toEqual(read(q.sample(randomKey(1), 5)));
    const points = tf.zeros([4, 1]);
    const before = tf.memory().numTensors;
    await q.marginalDensity({ points, batches: 3, key: randomKey(1) });
    const options = { key: randomKey(1), replicates: 2, draws: 3, batches: 2 };
    expect(await q.marginalElbo(options)).toEqual(await q.marginalElbo(options));
    expect(tf.memory().numTensors).toBe(before);
  });

  it("says what is wrong with bad input", async () => {
    expect(() => conjugate(0)).toThrow("K must be a positive integer, not 0");
    const { q } = conjugate(3);
    expect(() => q.sample(randomKey(1), 0)).toThrow("number of draws");
    expect(() => q.batchConditionalLogProb(tf.zeros([2, 1, 1]) as Tensor3D)).toThrow("[2, 1, 1]");
    await expect(q.marginalDensity({ points: tf.zeros([4]), batches: 3, key: randomKey(1) })).rejects.toThrow(
      "[G, 1, D]",
    );
    await expect(q.marginalDensity({ points: tf.zeros([4, 1]), batches: 1, key: randomKey(1) })).rejects.toThrow(
      "batches must be an integer of at least 2",
    );
    await expect(q.marginalElbo({ key: randomKey(1), replicates: 1 })).rejects.toThrow("replicates");
  });

  it("uses the keys of its parts independently", () => {
    const [a, b] = split(randomKey(1));
    const { q } = conjugate(3);
    expect(read(q.sample(a, 5))).not.toEqual(read(q.sample(b, 5)));
  });
});
