import { describe, expect, it } from "vitest";
import { effectiveSampleSize } from "../../src/diagnostics/effectiveSampleSize.js";
import { normals } from "./uniforms.js";

describe("effectiveSampleSize", () => {
  it("is S for equal weights and 1 when one draw carries all", () => {
    expect(effectiveSampleSize(new Float64Array(64).fill(-1234))).toBe(64);
    expect(effectiveSampleSize([0, -Infinity, -Infinity])).toBe(1);
    expect(effectiveSampleSize([5000, 0])).toBe(1);
  });

  it("is (Σw)²/Σw²", () => {
    expect(effectiveSampleSize([Math.log(1), Math.log(2), Math.log(3)])).toBeCloseTo(36 / 14, 13);
  });

  it("tends to S / E[w²] for normalised weights: S exp(−σ²) for log-normal ones", () => {
    const size = 200_000;
    const logWeights = normals(size, 9).map((e) => 0.5 * e);
    // Delta method: var log(ESS/S) ≤ (4 cv²(w) + cv²(w²)) / S, less their covariance; cv²(w) = e^0.25 − 1, cv²(w²) = e − 1.
    const error = Math.sqrt((4 * Math.expm1(0.25) + Math.expm1(1)) / size);
    expect(Math.abs(Math.log(effectiveSampleSize(logWeights) / size) + 0.25)).toBeLessThan(4 * error);
  });

  it("does not change with scale, and refuses what is no weight", () => {
    const logWeights = normals(100, 4);
    expect(effectiveSampleSize(logWeights.map((v) => v - 3000))).toBeCloseTo(effectiveSampleSize(logWeights), 8);
    expect(() => effectiveSampleSize([])).toThrow(/effectiveSampleSize needs at least one/);
    expect(() => effectiveSampleSize([Number.NaN])).toThrow(/NaN/);
    expect(() => effectiveSampleSize([-Infinity])).toThrow(/−∞/);
  });
});
