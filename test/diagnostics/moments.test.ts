import { describe, expect, it } from "vitest";
import {
  estimateMean,
  mean,
  standardError,
  sum,
  variance,
  weightedMean,
  weightedVariance,
} from "../../src/diagnostics/moments.js";
import { normals } from "./uniforms.js";

describe("sum", () => {
  it("loses nothing to cancellation", () => {
    expect(sum([1, 1e100, 1, -1e100])).toBe(2);
    expect(sum(new Float64Array(1_000_000).fill(0.1))).toBe(100_000);
    expect(sum([])).toBe(0);
    expect(sum([1, -Infinity, 2])).toBe(-Infinity);
  });
});

describe("mean, variance and standard error", () => {
  it("match hand-computed values", () => {
    const values = [2, 4, 4, 4, 5, 5, 7, 9];
    expect(mean(values)).toBe(5);
    expect(variance(values)).toBeCloseTo(32 / 7, 14);
    expect(standardError(values)).toBeCloseTo(Math.sqrt(32 / 56), 14);
    expect(estimateMean(values)).toEqual({ value: 5, standardError: standardError(values), n: 8 });
  });

  it("keep the variance under a large mean", () => {
    expect(variance([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])).toBeCloseTo(30, 10);
  });

  it("do not invent the spread of one value", () => {
    expect(estimateMean([3])).toEqual({ value: 3, standardError: Number.NaN, n: 1 });
    expect(() => mean([])).toThrow(/at least one value/);
  });
});

describe("weightedMean", () => {
  it("equals the plain mean under equal weights, with the error's n for n − 1", () => {
    const values = normals(50, 1);
    const weighted = weightedMean(values, new Float64Array(50).fill(-700));
    expect(weighted.value).toBeCloseTo(mean(values), 13);
    expect(weighted.standardError).toBeCloseTo(standardError(values) * Math.sqrt(49 / 50), 13);
    expect(weightedVariance(values, new Float64Array(50).fill(3))).toBeCloseTo((variance(values) * 49) / 50, 12);
  });

  it("weighs by exp(logWeights), and ignores values of weight zero", () => {
    const result = weightedMean([1, 2, Number.NaN], [Math.log(3), 0, -Infinity]);
    expect(result.value).toBeCloseTo(1.25, 14);
    expect(result.standardError).toBeCloseTo(Math.hypot(0.75 * 0.25, 0.25 * 0.75), 14);
    expect(weightedVariance([1, 2, Number.NaN], [Math.log(3), 0, -Infinity])).toBeCloseTo(3 / 16, 14);
  });

  it("has an error that covers: N(1, 1) moments from N(0, 1.5²) draws, 300 times", () => {
    let covered = 0;
    for (let r = 0; r < 300; r++) {
      const z = normals(400, 10_000 + 7 * r).map((e) => 1.5 * e);
      const { value, standardError: error } = weightedMean(
        z,
        z.map((x) => -((x - 1) ** 2) / 2 + x ** 2 / (2 * 1.5 ** 2)),
      );
      if (Math.abs(value - 1) < 1.96 * error) covered++;
    }
    // Binomial(300, 0.95): mean 285, standard deviation 3.8.
    expect(covered).toBeGreaterThan(285 - 4 * 3.8);
    expect(covered).toBeLessThan(285 + 4 * 3.8);
  });

  it("refuses unequal lengths and impossible weights", () => {
    expect(() => weightedMean([1, 2], [0])).toThrow(/2 values but 1/);
    expect(() => weightedMean([1], [Number.NaN])).toThrow(/NaN/);
  });
});
