import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateLogMeanExp, logMeanExp, logSumExp } from "../../src/diagnostics/logSumExp.js";
import { mean, variance } from "../../src/diagnostics/moments.js";
import { normals } from "./uniforms.js";

describe("logSumExp", () => {
  it("holds where exp would overflow or vanish", () => {
    expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.LN2, 12);
    expect(logSumExp([-5000, -5000, -Infinity])).toBeCloseTo(-5000 + Math.LN2, 12);
    expect(logSumExp([])).toBe(-Infinity);
    expect(logSumExp([-Infinity, -Infinity])).toBe(-Infinity);
    expect(logSumExp([0, Infinity])).toBe(Infinity);
  });

  it("shifts with its values", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1 }),
        fc.integer({ min: -1e6, max: 1e6 }),
        (values, shift) => {
          expect(logSumExp(values.map((v) => v + shift)) - shift).toBeCloseTo(logSumExp(values), 7);
        },
      ),
    );
  });

  it("refuses NaN by its place", () => {
    expect(() => logSumExp([0, Number.NaN])).toThrow(/value 1 is NaN/);
  });
});

describe("logMeanExp", () => {
  it("is log of the mean", () => {
    expect(logMeanExp([0, Math.log(3)])).toBeCloseTo(Math.LN2, 14);
    expect(() => logMeanExp([])).toThrow(/at least one/);
  });
});

describe("estimateLogMeanExp", () => {
  it("has the standard error that repetition shows", () => {
    const runs = Array.from({ length: 400 }, (_, r) => estimateLogMeanExp(normals(500, 3000 + 11 * r)));
    const spread = Math.sqrt(variance(runs.map((run) => run.value)));
    const claimed = mean(runs.map((run) => run.standardError));
    // log-normal weights with unit σ: s.e. = √((e − 1)/500) = 0.0586; the spread's own error is 3.5 %.
    expect(claimed / Math.sqrt((Math.E - 1) / 500)).toBeCloseTo(1, 1);
    expect(Math.abs(spread / claimed - 1)).toBeLessThan(4 * 0.0354);
    // E log w̄ ≈ ½ − ½ s.e.²
    expect(Math.abs(mean(runs.map((run) => run.value)) - 0.5)).toBeLessThan((4 * spread) / 20 + claimed ** 2);
  });

  it("says NaN where the error is unknown, and refuses +∞", () => {
    expect(estimateLogMeanExp([2])).toEqual({ value: 2, standardError: Number.NaN, n: 1 });
    expect(estimateLogMeanExp([-Infinity, -Infinity])).toEqual({ value: -Infinity, standardError: Number.NaN, n: 2 });
    expect(() => estimateLogMeanExp([0, Infinity])).toThrow(/\+∞/);
  });

  it("scales: the error of equal weights is zero anywhere", () => {
    expect(estimateLogMeanExp([-1e4, -1e4, -1e4])).toEqual({ value: -1e4, standardError: 0, n: 3 });
  });
});
