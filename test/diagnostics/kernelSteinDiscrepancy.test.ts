import { describe, expect, it } from "vitest";
import { kernelSteinDiscrepancy } from "../../src/diagnostics/kernelSteinDiscrepancy.js";
import { kolmogorovSmirnov } from "../../src/diagnostics/kolmogorovSmirnov.js";
import { mean, standardError, variance } from "../../src/diagnostics/moments.js";
import { gaussHermite, productRule } from "../../src/diagnostics/quadrature.js";
import { sumKernel } from "../../src/kernels/compose.js";
import { inverseMultiquadric } from "../../src/kernels/inverseMultiquadric.js";
import type { RadialKernel } from "../../src/kernels/radialKernel.js";
import { squaredExponential } from "../../src/kernels/squaredExponential.js";
import { draws, normalDraws } from "./draws.js";

const imq = inverseMultiquadric();
/** The score of N(0, 1). */
const standard = (x: Float64Array): Float64Array => x.map((value) => -value);
const signRows = (count: number, n: number, seed: string): Float64Array[] =>
  Array.from({ length: count }, (_, b) => draws(n, `${seed} ${b}`).map((u) => (u < 0.5 ? -1 : 1)));

/** KSD² of N(μ, σ²) against N(0, 1): E δ(x) k(x, x′) δ(x′) with δ = s_p − s_q, by quadrature over x and x′. */
function exactSquared(kernel: RadialKernel, shift: number, scale: number): number {
  const rule = productRule(gaussHermite(80), gaussHermite(80));
  const delta = (z: number): number => -(shift + scale * z) + z / scale;
  let total = 0;
  rule.logWeights.forEach((weight, i) => {
    const [a, b] = [rule.points[2 * i], rule.points[2 * i + 1]];
    total += Math.exp(weight) * delta(a) * delta(b) * kernel.value((scale * (a - b)) ** 2);
  });
  return total;
}

describe("kernelSteinDiscrepancy", () => {
  it("is its formula, by hand", () => {
    // p = N(0, 1), RBF of length 1: u(x, y) = e^(−d²/2) (xy + d · (−y + x) · (−1) … ) worked out: x y + 1 − 2 d².
    const x = [0, 1, 3];
    const u = (a: number, b: number): number => Math.exp(-((a - b) ** 2) / 2) * (a * b + 1 - 2 * (a - b) ** 2);
    const found = kernelSteinDiscrepancy({ x, score: x.map((v) => -v), dimension: 1, kernel: squaredExponential() });
    const pairs = u(0, 1) + u(0, 3) + u(1, 3);
    expect(found.squared.value).toBeCloseTo(pairs / 3, 13);
    expect(found.biased).toBeCloseTo((2 * pairs + u(0, 0) + u(1, 1) + u(3, 3)) / 9, 13);
    expect(found.squared.n).toBe(3);
    expect(found.pValue).toBeUndefined();
  });

  it.each([
    ["squared exponential", squaredExponential({ lengthScale: 0.8 })],
    ["inverse multiquadric", imq],
    ["a sum", sumKernel(imq, squaredExponential({ lengthScale: 3 }))],
  ] as const)("is E δ k δ of shifted and stretched normals, %s", (_, kernel) => {
    const z = normalDraws(2000, "shifted");
    for (const [shift, scale] of [
      [0.5, 1],
      [-0.3, 1.4],
      [0.2, 0.6],
    ]) {
      const x = z.map((value) => shift + scale * value);
      const { squared } = kernelSteinDiscrepancy({ x, score: standard(x), dimension: 1, kernel });
      const exact = exactSquared(kernel, shift, scale);
      expect(Math.abs(squared.value - exact)).toBeLessThan(4 * squared.standardError);
      expect(squared.standardError).toBeLessThan(0.2 * exact);
    }
  });

  it("is |μ|² (ℓ²/(ℓ²+2))^(D/2) for N(μ, I) against N(0, I)", () => {
    for (const dimension of [1, 4]) {
      const [n, lengthScale, shift] = [1500, 1.5, 0.5];
      const x = normalDraws(n * dimension, `D = ${dimension}`).map((value) => value + shift);
      const kernel = squaredExponential({ lengthScale });
      const { squared } = kernelSteinDiscrepancy({ x, score: standard(x), dimension, kernel });
      const exact = dimension * shift ** 2 * (lengthScale ** 2 / (lengthScale ** 2 + 2)) ** (dimension / 2);
      expect(Math.abs(squared.value - exact)).toBeLessThan(4 * squared.standardError);
      expect(squared.standardError).toBeLessThan(0.2 * exact);
    }
  });

  it("has an unbiased zero, a standard error on the safe side and a uniform p-value under the truth", () => {
    const [runs, n, dimension] = [300, 40, 2];
    const found = Array.from({ length: runs }, (_, r) => {
      const x = normalDraws(n * dimension, `null ${r}`);
      const signs = signRows(99, n, `signs ${r}`);
      return kernelSteinDiscrepancy({ x, score: standard(x), dimension, kernel: imq, signs });
    });
    const values = found.map(({ squared }) => squared.value);
    expect(Math.abs(mean(values))).toBeLessThan(4 * standardError(values));
    const stated = mean(found.map(({ squared }) => squared.standardError ** 2));
    expect(stated / variance(values)).toBeGreaterThan(0.8);
    expect(stated / variance(values)).toBeLessThan(2); // ζ̂_1 is cut off at 0 half the time
    expect(values.filter((value) => value < 0).length).toBeGreaterThan(runs / 3);
    for (const { biased, squared } of found) {
      expect(biased).toBeGreaterThanOrEqual(0);
      expect(biased).toBeGreaterThan(squared.value);
    }
    const pValues = found.map(({ pValue }) => (pValue as number) - 0.005);
    expect(kolmogorovSmirnov(pValues, (p) => Math.min(1, Math.max(0, p))).pValue).toBeGreaterThan(0.001);
  });

  it("has a right standard error elsewhere too, and a small p-value", () => {
    const [runs, n] = [300, 60];
    const found = Array.from({ length: runs }, (_, r) => {
      const x = normalDraws(n, `apart ${r}`).map((value) => value + 0.8);
      return kernelSteinDiscrepancy({
        x,
        score: standard(x),
        dimension: 1,
        kernel: imq,
        signs: signRows(99, n, `signs ${r}`),
      });
    });
    const values = found.map(({ squared }) => squared.value);
    expect(Math.abs(mean(values) - exactSquared(imq, 0.8, 1))).toBeLessThan(4 * standardError(values));
    const stated = mean(found.map(({ squared }) => squared.standardError ** 2));
    expect(stated / variance(values)).toBeGreaterThan(0.75);
    expect(stated / variance(values)).toBeLessThan(1.3);
    expect(found.filter(({ pValue }) => (pValue as number) <= 0.05).length).toBeGreaterThan(0.9 * runs);
  });

  it("looks at 5,000 points in bounded memory", () => {
    const x = normalDraws(10_000, "many");
    const { squared } = kernelSteinDiscrepancy({ x, score: standard(x), dimension: 2, kernel: imq });
    expect(Math.abs(squared.value)).toBeLessThan(4 * squared.standardError);
  });

  it("refuses what it cannot compare", () => {
    const given = { x: [1, 2, 3], score: [1, 2, 3], dimension: 1, kernel: imq };
    expect(() => kernelSteinDiscrepancy({ ...given, dimension: 0 })).toThrow("dimension must be a positive integer");
    expect(() => kernelSteinDiscrepancy({ ...given, dimension: 2 })).toThrow("at least 3 points of 2 coordinates");
    expect(() => kernelSteinDiscrepancy({ ...given, x: [1, 2] })).toThrow("at least 3 points");
    expect(() => kernelSteinDiscrepancy({ ...given, score: [1, 2, 3, 4] })).toThrow("3 points but 4 scores");
    expect(() => kernelSteinDiscrepancy({ ...given, score: [1, Number.NaN, 3] })).toThrow(
      "score: coordinate 0 of point 1 is NaN",
    );
    expect(() => kernelSteinDiscrepancy({ ...given, signs: [[1, -1]] })).toThrow("row 0 of signs has 2 entries");
    expect(() => kernelSteinDiscrepancy({ ...given, signs: [[1, -1, 0]] })).toThrow("a sign must be 1 or −1, not 0");
  });
});
