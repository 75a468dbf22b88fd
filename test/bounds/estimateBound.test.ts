import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { collectLogWeights, estimateBound, estimateBoundOverData } from "../../src/bounds/estimateBound.js";
import { exactIwae } from "../../src/bounds/exactImportanceWeighted.js";
import { iwae } from "../../src/bounds/iwae.js";
import { Independent } from "../../src/distributions/independent.js";
import { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import type { Parameters } from "../../src/engine/parameters.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { amortisedGaussian } from "../../src/families/amortisedGaussian.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import { type ConditionalPosterior, latentVariableProblem } from "../../src/models/problem.js";

beforeAll(async () => {
  await ready();
});

const zeros = (batch: number) => ({
  mean: tf.zeros([batch, 1]) as Tensor2D,
  logScale: tf.zeros([batch, 1]) as Tensor2D,
});
const problemOf = (x: number[][]) =>
  latentVariableProblem({
    model: conjugateGaussian,
    family: meanFieldGaussian({ dimension: 1, batchSize: x.length }),
    x: tf.tensor2d(x),
    scale: 1,
  });

describe("estimateBound", () => {
  it("meets the exact L_k of every datum, with standard errors that are right", async () => {
    const x = [[2], [-1], [0.5]];
    const at = {
      problem: problemOf(x),
      theta: {},
      phi: zeros(3),
      bound: iwae,
      samples: 4,
      across: "replicates",
    } as const;
    const truth = x.map(([value]) => exactIwae(conjugateGaussian.weightDistribution(value, { mean: 0, scale: 1 }), 4));
    const centre = truth.reduce((sum, value) => sum + value, 0) / 3;
    const runs = await Promise.all(
      Array.from({ length: 60 }, (_, seed) => estimateBound({ ...at, replicates: 100, key: randomKey(seed) })),
    );
    const scores = runs.map(({ value, standardError }) => (value - centre) / standardError);
    expect(Math.max(...scores.map(Math.abs))).toBeLessThan(4.5);
    // Scores are N(0, 1) if the standard errors are honest: their mean square is 1 ± √(2/60).
    const square = scores.reduce((sum, score) => sum + score * score, 0) / 60;
    expect(Math.abs(square - 1)).toBeLessThan(4 * Math.sqrt(2 / 60));
    const { perDatum } = await estimateBound({ ...at, replicates: 20_000, key: randomKey(1) });
    perDatum.forEach((value, b) => {
      expect(Math.abs(value - truth[b])).toBeLessThan(0.03);
    });
  });

  it("gives the same numbers for the same key, and memory that does not depend on K", async () => {
    const at = { problem: problemOf([[2]]), theta: {}, phi: zeros(1), key: randomKey(1) };
    const before = tf.memory().numTensors;
    const [first] = await collectLogWeights({ ...at, samples: 1000, chunk: 64 });
    const [again] = await collectLogWeights({ ...at, samples: 1000, chunk: 64 });
    expect(again).toEqual(first);
    expect(first).toHaveLength(1000);
    expect(new Set(first).size).toBeGreaterThan(990); // no chunk repeats another's draws
    expect(tf.memory().numTensors).toBe(before);
  });

  it("draws anew for replicates that do not fit into one pass", async () => {
    const at = { problem: problemOf([[2]]), theta: {}, phi: zeros(1), bound: elbo, key: randomKey(1) };
    // More than half of the weights that are held at once: one replicate a pass.
    const { standardError, n } = await estimateBound({ ...at, samples: 600_000, replicates: 2 });
    expect(n).toBe(2);
    expect(standardError).toBeGreaterThan(0);
  });

  it("says over what the standard error is, and refuses one over a single value", async () => {
    const at = { theta: {}, bound: elbo, samples: 2, key: randomKey(1) };
    const two = { ...at, problem: problemOf([[2], [1]]), phi: zeros(2) };
    expect((await estimateBound(two)).across).toBe("data");
    expect((await estimateBound({ ...two, replicates: 3, across: "replicates" })).n).toBe(3);
    const one = { ...at, problem: problemOf([[2]]), phi: zeros(1) };
    await expect(estimateBound(one)).rejects.toThrow("set replicates to 2 or more");
    await expect(estimateBound({ ...one, across: "data" })).rejects.toThrow('use across: "replicates"');
    await expect(estimateBound({ ...one, replicates: 0 })).rejects.toThrow("replicates must be a positive integer");
    await expect(estimateBound({ ...one, replicates: 2, samples: 0 })).rejects.toThrow("K must be a positive integer");
    await expect(estimateBound({ ...one, replicates: 2, chunk: 0 })).rejects.toThrow("chunk");
  });
});

describe("data that are not finite", () => {
  const at = { theta: {}, samples: 3, key: randomKey(1) };

  it.each([elbo, iwae])("are refused by row under the $name, where they would make the report NaN", async (bound) => {
    const problem = problemOf([[2], [Number.NaN], [1]]);
    await expect(estimateBound({ ...at, problem, phi: zeros(3), bound })).rejects.toThrow(
      "A log-weight of datum 1 is NaN; look at that row of the data",
    );
    await expect(collectLogWeights({ ...at, problem, phi: zeros(3) })).rejects.toThrow("datum 1");
  });

  it("are found before the first pass over a data set, and weights that are not by their row in it", async () => {
    const over = (values: number[], family: ConditionalPosterior<Parameters>) =>
      estimateBoundOverData({
        ...at,
        data: tf.tensor2d(values, [values.length, 1]),
        problem: (x) => latentVariableProblem({ model: conjugateGaussian, family, x, scale: 1 }),
        phi: {},
        bound: elbo,
        batchSize: 2,
      });
    const family = (scale: (x: Tensor2D) => Tensor): ConditionalPosterior<Parameters> => ({
      dimension: 1,
      distribution: (_phi, x) => new Independent({ base: new Normal({ mean: x, scale: scale(x) }), eventRank: 1 }),
    });
    const before = tf.memory().numTensors;
    await expect(
      over(
        [1, 2, 3, Number.NaN, 4],
        family((x) => tf.onesLike(x)),
      ),
    ).rejects.toThrow("estimateBoundOverData: data[3, 0] is NaN");
    // log σ = log(4 − x) has no value at x = 5, in row 3.
    await expect(
      over(
        [1, 2, 3, 5, 2],
        family((x) => tf.sub(4, x)),
      ),
    ).rejects.toThrow("A log-weight of datum 3 is NaN");
    expect(tf.memory().numTensors - before).toBe(2); // the data
  });

  it("do not include weights of zero", async () => {
    const problem = { ...problemOf([[2], [1]]), logP: () => tf.fill([3, 2], Number.NEGATIVE_INFINITY) as Tensor2D };
    const columns = await collectLogWeights({ ...at, problem, phi: zeros(2) });
    expect(columns[1][2]).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe("estimateBoundOverData", () => {
  const family = amortisedGaussian({ latent: 1, observed: 1, hidden: [] });
  /** q(z | x) = N(x/2, ½), the exact posterior: every bound is log p(x). */
  const phi = {
    layers: [{ weights: tf.tensor2d([[0.5, 0]]), bias: tf.tensor1d([0, Math.log(Math.SQRT1_2)]) }],
  };
  const problem = (x: Tensor2D) => latentVariableProblem({ model: conjugateGaussian, family, x, scale: 1 });

  it("counts each row once, the smaller last batch included", async () => {
    const values = [2, -1, 0.5, 3, 1];
    const data = tf.tensor2d(values, [5, 1]);
    const seen: number[] = [];
    const before = tf.memory().numTensors;
    const result = await estimateBoundOverData({
      data,
      problem,
      theta: {},
      phi,
      bound: iwae,
      samples: 30,
      key: randomKey(1),
      batchSize: 2,
      chunk: 7,
      onProgress: ({ done, of }) => void seen.push(done, of),
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(seen).toEqual([2, 5, 4, 5, 5, 5]);
    const truth = values.map(conjugateGaussian.logEvidence);
    truth.forEach((value, b) => {
      expect(result.perDatum[b]).toBeCloseTo(value, 5);
    });
    const mean = truth.reduce((sum, value) => sum + value, 0) / 5;
    expect(result.value).toBeCloseTo(mean, 5);
    const variance = truth.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4;
    expect(result.standardError).toBeCloseTo(Math.sqrt(variance / 5), 5);
  });

  it("draws anew for each batch", async () => {
    const prior = { layers: [{ weights: tf.zeros([1, 2]) as Tensor2D, bias: tf.zeros([2]) as Tensor1D }] };
    const { perDatum } = await estimateBoundOverData({
      data: tf.ones([6, 1]) as Tensor2D,
      problem,
      theta: {},
      phi: prior,
      bound: elbo,
      samples: 2,
      key: randomKey(1),
      batchSize: 2,
    });
    expect(new Set(perDatum).size).toBe(6); // six equal data, each with its own draws
  });

  it("refuses data and sizes that make no sense", async () => {
    const at = { problem, theta: {}, phi, bound: iwae, samples: 3, key: randomKey(1) };
    await expect(estimateBoundOverData({ ...at, data: tf.zeros([1, 1]) as Tensor2D })).rejects.toThrow("two rows");
    await expect(estimateBoundOverData({ ...at, data: tf.zeros([4, 1]) as Tensor2D, batchSize: 0 })).rejects.toThrow(
      "batchSize",
    );
  });
});
