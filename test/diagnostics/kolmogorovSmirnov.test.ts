import { describe, expect, it } from "vitest";
import { kolmogorovSmirnov } from "../../src/diagnostics/kolmogorovSmirnov.js";
import { uniforms } from "./uniforms.js";

const identity = (x: number): number => Math.min(1, Math.max(0, x));

describe("kolmogorovSmirnov", () => {
  it("finds the largest distance by hand", () => {
    // F_n jumps to 1/5 … 5/5 at the draws; the largest gap is just before .9: .9 − 4/5, and at .3: 3/5 − .3.
    const { statistic, n } = kolmogorovSmirnov([0.9, 0.1, 0.3, 0.2, 0.6], identity);
    expect(n).toBe(5);
    expect(statistic).toBeCloseTo(0.3, 14);
  });

  it("has the tabulated critical values", () => {
    // Kolmogorov's distribution: P(√n D > 1.3581) = .05, 1.6276: .01, 0.8276: .5 (Smirnov 1948).
    const n = 100_000;
    for (const [lambda, p] of [
      [0.8276, 0.5],
      [1.3581, 0.05],
      [1.6276, 0.01],
    ]) {
      const d = lambda / (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n));
      // Draws on the cdf's own quantiles, shifted by d less the half step, are d away from it.
      const draws = Float64Array.from({ length: n }, (_, i) => (i + 0.5) / n + d - 0.5 / n);
      expect(kolmogorovSmirnov(draws, identity).pValue).toBeCloseTo(p, 3);
    }
  });

  it("has the exact critical values of few draws, which the limit alone misses by .02", () => {
    // P(D_n ≥ d) = .05, Miller 1956, JASA 51.
    for (const [n, d] of [
      [5, 0.56328],
      [10, 0.40925],
      [20, 0.29408],
    ]) {
      const draws = Float64Array.from({ length: n }, (_, i) => Math.min(1, i / n + d));
      const { statistic, pValue } = kolmogorovSmirnov(draws, identity);
      expect(statistic).toBeCloseTo(d, 12);
      expect(Math.abs(pValue - 0.05)).toBeLessThan(0.003);
    }
  });

  it("has p-values that are uniform under the null", () => {
    const pValues = Array.from({ length: 400 }, (_, seed) =>
      kolmogorovSmirnov(uniforms(50, 7919 * seed + 1), identity),
    );
    const sorted = pValues.map(({ pValue }) => pValue).sort((a, b) => a - b);
    for (const u of [0.05, 0.25, 0.5, 0.75, 0.95]) {
      const share = sorted.filter((p) => p < u).length / 400;
      expect(Math.abs(share - u)).toBeLessThan(4 * Math.sqrt((u * (1 - u)) / 400) + 0.01);
    }
  });

  it("rejects a shifted law", () => {
    expect(
      kolmogorovSmirnov(
        uniforms(2000, 3).map((u) => u ** 1.2),
        identity,
      ).pValue,
    ).toBeLessThan(1e-6);
  });

  it("says what is wrong with its input", () => {
    expect(() => kolmogorovSmirnov([1, 2], identity)).toThrow(/at least five/);
    expect(() => kolmogorovSmirnov([1, 2, 3, 4, 5], (x) => -x)).toThrow(/must rise/);
    expect(() => kolmogorovSmirnov([1, 2, 3, 4, Number.NaN], identity)).toThrow(/must rise/);
  });
});
