import { describe, expect, it } from "vitest";
import { drawMoments } from "../../src/diagnostics/drawMoments.js";
import { mean, variance } from "../../src/diagnostics/moments.js";
import { normals } from "./uniforms.js";

/** Draws of (g, ½ g + e): deviations 1 and √(¼ + σ²), correlation ½ / √(¼ + σ²). */
const sigma = 0.8;
function draws(n: number, seed: number): Float64Array {
  const u = normals(2 * n, 7919 * seed);
  return u.map((value, i) => (i % 2 === 0 ? value : 3 + 0.5 * u[i - 1] + sigma * value));
}
const exact = { mean: 3, deviation: Math.sqrt(0.25 + sigma ** 2), correlation: 0.5 / Math.sqrt(0.25 + sigma ** 2) };

describe("drawMoments", () => {
  it("is the definition", () => {
    const { n, dimension, ...moments } = drawMoments([1, 2, 3, 2, 5, 9], 2); // (1, 2), (3, 2), (5, 9)
    expect([n, dimension]).toEqual([3, 2]);
    expect(moments.mean(0).value).toBe(3);
    expect(moments.standardDeviation(0).value).toBeCloseTo(2, 12);
    expect(moments.correlation(0, 1).value).toBeCloseTo(14 / (2 * 2 * Math.sqrt(49 / 3)), 12);
    expect(moments.correlation(1, 0).value).toBeCloseTo(moments.correlation(0, 1).value, 12);
    expect(moments.correlation(1, 1)).toEqual({ value: 1, standardError: 0, n: 3 });
  });

  it("finds the truth within its standard errors, which are the deviations over repetitions", () => {
    const found = Array.from({ length: 400 }, (_, r) => drawMoments(draws(500, r + 1), 2));
    const checked = [
      [found.map((at) => at.mean(1)), exact.mean],
      [found.map((at) => at.standardDeviation(1)), exact.deviation],
      [found.map((at) => at.correlation(0, 1)), exact.correlation],
    ] as const;
    for (const [estimates, truth] of checked) {
      const values = estimates.map(({ value }) => value);
      const spread = variance(values);
      expect(Math.abs(mean(values) - truth)).toBeLessThan(4 * Math.sqrt(spread / 400) + 0.002); // O(1/n) bias of a ratio
      const ratio = mean(estimates.map(({ standardError }) => standardError ** 2)) / spread;
      expect(Math.abs(ratio - 1)).toBeLessThan(4 * Math.sqrt(2 / 399));
    }
  });

  it("refuses what is no set of draws", () => {
    expect(() => drawMoments([1, 2, 3], 2)).toThrow("3 values are not two or more draws of 2 coordinates.");
    expect(() => drawMoments([1, 2], 2)).toThrow(RangeError);
    expect(() => drawMoments([1, 2, 3, 4], 2).mean(2)).toThrow("coordinate must be an integer in [0, 2), not 2.");
    expect(() => drawMoments([1, 2, 1, 4], 2).standardDeviation(0)).toThrow("coordinate 0 do not vary");
    expect(() => drawMoments([1, Number.NaN, 3, 4], 2).correlation(0, 1)).toThrow(
      "coordinate 1 do not vary, or are not finite.",
    );
  });
});
