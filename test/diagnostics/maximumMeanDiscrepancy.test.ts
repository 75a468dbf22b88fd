import { describe, expect, it } from "vitest";
import { kolmogorovSmirnov } from "../../src/diagnostics/kolmogorovSmirnov.js";
import { maximumMeanDiscrepancy } from "../../src/diagnostics/maximumMeanDiscrepancy.js";
import { mean, standardError, variance } from "../../src/diagnostics/moments.js";
import { inverseMultiquadric } from "../../src/kernels/inverseMultiquadric.js";
import { medianDistance } from "../../src/kernels/medianDistance.js";
import { squaredExponential } from "../../src/kernels/squaredExponential.js";
import { draws, normalDraws } from "./draws.js";

/** E k(x, y) of x ~ N(a, v), y ~ N(b, w) in each of D coordinates, under the squared exponential. */
function meanKernel(lengthScale: number, dimension: number, apart: number, variances: number): number {
  const total = lengthScale ** 2 + variances;
  return (Math.sqrt(lengthScale ** 2 / total) * Math.exp(-(apart ** 2) / (2 * total))) ** dimension;
}

/** MMD² between N(0, I) and N(μ, σ² I). */
function exactSquared(lengthScale: number, dimension: number, shift: number, scale: number): number {
  const k = (apart: number, variances: number) => meanKernel(lengthScale, dimension, apart, variances);
  return k(0, 2) + k(0, 2 * scale ** 2) - 2 * k(shift, 1 + scale ** 2);
}

const orders = (count: number, n: number, seed: string): number[][] =>
  Array.from({ length: count }, (_, b) => {
    const u = draws(n, `${seed} ${b}`);
    return Array.from(u.keys()).sort((i, j) => u[i] - u[j]);
  });

describe("maximumMeanDiscrepancy", () => {
  it("is its formula, by hand", () => {
    const kernel = squaredExponential();
    const [x, y] = [
      [0, 1, 3],
      [2, 2.5, 5, 7],
    ];
    const k = (a: number, b: number): number => Math.exp(-((a - b) ** 2) / 2);
    const total = (a: readonly number[], b: readonly number[]): number =>
      a.reduce((sum, p) => sum + b.reduce((inner, q) => inner + k(p, q), 0), 0);
    const cross = total(x, y) / 12;
    const permutations = [[0, 1, 2, 3, 4, 5, 6]];
    const found = maximumMeanDiscrepancy({ x, y, dimension: 1, kernel, permutations });
    expect(found.squared.value).toBeCloseTo((total(x, x) - 3) / 6 + (total(y, y) - 4) / 12 - 2 * cross, 13);
    expect(found.biased).toBeCloseTo(total(x, x) / 9 + total(y, y) / 16 - 2 * cross, 13);
    expect(found.squared.n).toBe(3);
    expect(found.pValue).toBe(1); // the given order is one of them
    const swapped = maximumMeanDiscrepancy({ x: y, y: x, dimension: 1, kernel });
    expect(swapped.squared.value).toBeCloseTo(found.squared.value, 13);
    expect(swapped.squared.standardError).toBeCloseTo(found.squared.standardError, 13);
    expect(swapped.pValue).toBeUndefined();
  });

  it("has the p-value of all relabellings, by enumeration", () => {
    const kernel = squaredExponential();
    const points = [0, 0.4, 1.1, 1.6, 2.2, 3.1];
    const sets = [...Array(64).keys()].filter((bits) => bits.toString(2).replaceAll("0", "").length === 3);
    const order = (bits: number): number[] => [...points.keys()].sort((i, j) => ((bits >> j) & 1) - ((bits >> i) & 1));
    const value = (bits: number): number => {
      const at = order(bits).map((i) => points[i]);
      return maximumMeanDiscrepancy({ x: at.slice(0, 3), y: at.slice(3), dimension: 1, kernel }).squared.value;
    };
    const given = { x: points.slice(0, 3), y: points.slice(3), dimension: 1, kernel };
    const { squared, pValue } = maximumMeanDiscrepancy({ ...given, permutations: sets.map(order) });
    const above = sets.filter((bits) => value(bits) >= squared.value - 1e-12).length;
    expect(sets.length).toBe(20);
    expect(pValue).toBe((1 + above) / 21);
    expect(above).toBe(2); // it and its mirror image
  });

  it("is the closed form of two Gaussians", () => {
    for (const [dimension, shift, scale, lengthScale] of [
      [1, 0.5, 1, 1],
      [1, 0.3, 1.6, 0.5],
      [3, 0, 0.6, 2],
    ]) {
      const [m, n] = [1500, 2000];
      const x = normalDraws(m * dimension, "x");
      const y = normalDraws(n * dimension, "y").map((value) => shift + scale * value);
      const kernel = squaredExponential({ lengthScale });
      const { squared, biased } = maximumMeanDiscrepancy({ x, y, dimension, kernel });
      const exact = exactSquared(lengthScale, dimension, shift, scale);
      expect(Math.abs(squared.value - exact)).toBeLessThan(4 * squared.standardError);
      expect(squared.standardError).toBeLessThan(0.2 * exact);
      expect(biased).toBeGreaterThan(squared.value);
    }
  });

  it("has an unbiased zero, a standard error on the safe side and a uniform p-value where the laws are one", () => {
    const [runs, m, n, dimension] = [300, 30, 50, 2];
    const kernel = inverseMultiquadric({ offset: 1.5 });
    const found = Array.from({ length: runs }, (_, r) => {
      const z = normalDraws((m + n) * dimension, `null ${r}`);
      const [x, y] = [z.subarray(0, m * dimension), z.subarray(m * dimension)];
      return maximumMeanDiscrepancy({ x, y, dimension, kernel, permutations: orders(99, m + n, `order ${r}`) });
    });
    const values = found.map(({ squared }) => squared.value);
    expect(Math.abs(mean(values))).toBeLessThan(4 * standardError(values));
    const stated = mean(found.map(({ squared }) => squared.standardError ** 2));
    expect(stated / variance(values)).toBeGreaterThan(0.8);
    expect(stated / variance(values)).toBeLessThan(2); // ζ̂_1 is cut off at 0 half the time
    expect(values.filter((value) => value < 0).length).toBeGreaterThan(runs / 3);
    for (const { biased } of found) expect(biased).toBeGreaterThanOrEqual(0);
    const pValues = found.map(({ pValue }) => (pValue as number) - 0.005);
    expect(kolmogorovSmirnov(pValues, (p) => Math.min(1, Math.max(0, p))).pValue).toBeGreaterThan(0.001);
  });

  it("has a right standard error elsewhere too, and a small p-value", () => {
    const [runs, m, n] = [300, 70, 40];
    const kernel = squaredExponential();
    const found = Array.from({ length: runs }, (_, r) => {
      const z = normalDraws(m + n, `apart ${r}`).map((value, i) => (i < m ? value : 1 + 0.7 * value));
      const permutations = orders(99, m + n, `order ${r}`);
      return maximumMeanDiscrepancy({ x: z.subarray(0, m), y: z.subarray(m), dimension: 1, kernel, permutations });
    });
    const values = found.map(({ squared }) => squared.value);
    expect(Math.abs(mean(values) - exactSquared(1, 1, 1, 0.7))).toBeLessThan(4 * standardError(values));
    const stated = mean(found.map(({ squared }) => squared.standardError ** 2));
    expect(stated / variance(values)).toBeGreaterThan(0.75);
    expect(stated / variance(values)).toBeLessThan(1.3);
    expect(found.filter(({ pValue }) => (pValue as number) <= 0.05).length).toBeGreaterThan(0.9 * runs);
  });

  it("looks at 5,000 and 5,000 points in bounded memory", () => {
    const [x, y] = [normalDraws(10_000, "many"), normalDraws(10_000, "more")];
    const kernel = squaredExponential({ lengthScale: medianDistance(x, 2) });
    const { squared } = maximumMeanDiscrepancy({ x, y, dimension: 2, kernel });
    expect(Math.abs(squared.value)).toBeLessThan(4 * squared.standardError);
  });

  it("refuses what it cannot compare", () => {
    const given = { x: [1, 2, 3], y: [1, 2, 3], dimension: 1, kernel: squaredExponential() };
    expect(() => maximumMeanDiscrepancy({ ...given, dimension: 1.5 })).toThrow("dimension must be a positive integer");
    expect(() => maximumMeanDiscrepancy({ ...given, x: [1, 2] })).toThrow("x needs at least 3 points");
    expect(() => maximumMeanDiscrepancy({ ...given, y: [1, Infinity, 3] })).toThrow("y: coordinate 0 of point 1");
    for (const order of [[0, 1, 2], [0, 1, 2, 3, 4, 4], [0, 1, 2, 3, 4, 6], []])
      expect(() => maximumMeanDiscrepancy({ ...given, permutations: [order] })).toThrow("is not an order of the");
  });
});
