import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { exactIwae } from "../../src/bounds/exactImportanceWeighted.js";
import { iwae } from "../../src/bounds/iwae.js";
import { type Estimate, estimateMean } from "../../src/diagnostics/moments.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { exactReverse } from "../../src/families/reverseConditional.js";
import { hierarchicalLatentVariableProblem } from "../../src/marginals/hierarchicalProblem.js";
import { collectLogWeightBounds } from "../../src/marginals/logWeightBounds.js";
import { iwhvi, type Marginal, sivi } from "../../src/marginals/marginal.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import type { NoParameters } from "../../src/models/problem.js";
import { expectedEstimate, marginalOf } from "./linearGaussianTruth.js";

beforeAll(async () => {
  await ready();
});

// For every datum q(z) = N(.5, .9² + .6²); the posterior at x = 2 is N(1, ½).
const q = { slope: 0.9, shift: 0.5, scale: 0.6 };
const x = 2;
const weights = conjugateGaussian.weightDistribution(x, marginalOf(q));
const exactL = (samples: number): number => exactIwae(weights, samples);
const logP = conjugateGaussian.logEvidence(x);

/** B data, all the same, so that each is a replicate. */
const optionsOf = (marginal: Marginal<NoParameters>, batch: number) => {
  const row = (value: number) => tf.fill([batch, 1], value) as tf.Tensor2D;
  const family = hierarchicalLinearGaussian({ dimension: 1, batchSize: batch });
  const data = { model: conjugateGaussian, family, marginal, x: row(x), scale: 1 };
  return {
    problem: hierarchicalLatentVariableProblem(data),
    theta: {},
    phi: { q: { slope: row(q.slope), shift: row(q.shift), logScale: row(Math.log(q.scale)) }, tau: {} },
  };
};
const deviation = ({ value, standardError }: Estimate, exact: number): number =>
  Math.abs(value - exact) / standardError;

describe("collectLogWeightBounds", () => {
  it("has on either side what quadrature says of one sample", async () => {
    const joint = -Math.log(2 * Math.PI) - (q.shift ** 2 + (x - q.shift) ** 2) / 2 - q.slope ** 2 - q.scale ** 2;
    const prior = () => ({ mean: 0, scale: 1 });
    for (const [k, shared] of [
      [1, false],
      [5, true],
    ] as const) {
      const { lower, upper } = await collectLogWeightBounds({
        ...optionsOf(sivi({ samples: k, shared }), 200),
        samples: 200,
        chunk: 1, // shared draws are then those of one z, and all log-weights independent
        key: randomKey(k),
      });
      const mean = (columns: Float64Array[]) => estimateMean(columns.map((logW) => elbo.evaluate(logW)));
      expect(deviation(mean(lower), joint - expectedEstimate(q, prior, k, true)), `${k}`).toBeLessThan(4);
      expect(deviation(mean(upper), joint - expectedEstimate(q, prior, k, false)), `${k}`).toBeLessThan(4);
    }
  });

  it("is q's own on both sides where τ is exact", async () => {
    const { lower, upper } = await collectLogWeightBounds({
      ...optionsOf(iwhvi({ reverse: exactReverse, samples: 2 }), 2000),
      samples: 4,
      key: randomKey(3),
    });
    lower.forEach((logW, b) => {
      logW.forEach((value, m) => {
        expect(Math.abs(value - upper[b][m])).toBeLessThan(1e-5);
      });
    });
    expect(deviation(estimateMean(lower.map((logW) => iwae.evaluate(logW))), exactL(4))).toBeLessThan(4);
  });

  it.each([true, false])("holds L_M of q between its sides, closes in with K (shared draws: %s)", async (shared) => {
    const width: number[] = [];
    for (const k of [2, 20, 200]) {
      const { lower, upper } = await collectLogWeightBounds({
        ...optionsOf(sivi({ samples: k, shared }), 2000),
        samples: 8,
        chunk: 8,
        key: randomKey(10 + k),
      });
      const [below, above] = [lower, upper].map((side) => estimateMean(side.map((logW) => iwae.evaluate(logW))));
      if (k === 2) {
        expect(below.value + 4 * below.standardError).toBeLessThan(exactL(8));
        expect(above.value - 4 * above.standardError).toBeGreaterThan(exactL(8));
        expect(above.value - 4 * above.standardError).toBeGreaterThan(logP); // it is no bound on log p(x)
      }
      expect(below.value - 4 * below.standardError).toBeLessThan(exactL(8));
      expect(above.value + 4 * above.standardError).toBeGreaterThan(exactL(8));
      width.push(above.value - below.value);
    }
    expect(width[1]).toBeLessThan(width[0] / 3);
    expect(width[2]).toBeLessThan(width[1] / 3);
  });

  it("has weights of mean p(x) on the lower side", async () => {
    const { lower } = await collectLogWeightBounds({
      ...optionsOf(sivi({ samples: 1 }), 4000),
      samples: 10,
      key: randomKey(4),
    });
    const average = estimateMean(lower.map((logW) => Math.exp(iwae.evaluate(logW) - logP)));
    expect(deviation(average, 1)).toBeLessThan(4);
    expect(average.standardError).toBeLessThan(0.02);
  });

  it("draws the same z for any K of one chunk, repeats itself, and leaves no tensor", async () => {
    const few = optionsOf(sivi({ samples: 100 }), 3);
    const many = optionsOf(sivi({ samples: 4000 }), 3);
    const before = tf.memory().numTensors;
    const at = { samples: 7, chunk: 3, key: randomKey(5) };
    const a = await collectLogWeightBounds({ ...few, ...at });
    const b = await collectLogWeightBounds({ ...many, ...at });
    expect(await collectLogWeightBounds({ ...few, ...at })).toEqual(a);
    for (const logW of a.lower) expect(new Set(logW).size).toBe(7); // no chunk repeats another
    const differences = a.lower.flatMap((logW, i) => Array.from(logW, (value, m) => Math.abs(value - b.lower[i][m])));
    expect(Math.max(...differences)).toBeLessThan(0.5); // different z would differ by about one nat
    expect(Math.max(...differences)).toBeGreaterThan(0);
    expect(a.lower.map((logW) => logW.length)).toEqual([7, 7, 7]);
    await collectLogWeightBounds({ ...few, samples: 5, key: randomKey(6) });
    expect(tf.memory().numTensors).toBe(before);
  });

  it("says what is wrong", async () => {
    const options = { ...optionsOf(sivi({ samples: 2 }), 3), samples: 4, key: randomKey(7) };
    await expect(collectLogWeightBounds({ ...options, samples: 0 })).rejects.toThrow(
      "The number of samples K must be a positive integer, not 0.",
    );
    await expect(collectLogWeightBounds({ ...options, chunk: 0.5 })).rejects.toThrow(
      "collectLogWeightBounds: chunk must be a positive integer, not 0.5.",
    );
    await expect(
      collectLogWeightBounds({ ...optionsOf(sivi({ samples: 0 }), 3), samples: 4, key: randomKey(7) }),
    ).rejects.toThrow("the number of draws K must be an integer of at least 1, not 0");
    const broken = { ...options.problem, logP: () => tf.tensor2d([[0, Number.NaN, 0]]) };
    await expect(collectLogWeightBounds({ ...options, problem: broken, samples: 1 })).rejects.toThrow(
      "a log-weight of datum 1 is NaN",
    );
  });
});
