import { describe, expect, it } from "vitest";
import {
  choleskyFactor,
  choleskyInverse,
  choleskySolve,
  logDeterminant,
} from "../../src/diagnostics/choleskyFactor.js";

// The 4 × 4 Lehmer matrix: its determinant is (2n)! / (2ⁿ n!³) = 35/192 and its inverse is tridiagonal.
const n = 4;
const lehmer = Float64Array.from({ length: 16 }, (_, at) => {
  const [i, j] = [Math.floor(at / 4) + 1, (at % 4) + 1];
  return Math.min(i, j) / Math.max(i, j);
});
const product = (a: Float64Array, b: Float64Array, transpose = false): number[] =>
  Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return Array.from({ length: n }, (_, k) => a[i * n + k] * (transpose ? b[j * n + k] : b[k * n + j])).reduce(
      (x, y) => x + y,
    );
  });

describe("choleskyFactor", () => {
  const factor = choleskyFactor(lehmer, n, "the matrix");

  it("multiplies back, and gives determinant, solution and inverse", () => {
    product(factor, factor, true).forEach((value, at) => {
      expect(value).toBeCloseTo(lehmer[at], 14);
    });
    expect(Math.exp(logDeterminant(factor, n))).toBeCloseTo(35 / 192, 14);
    const inverse = choleskyInverse(factor, n);
    product(lehmer, inverse).forEach((value, at) => {
      expect(value).toBeCloseTo(Number(at % 5 === 0), 13);
    });
    expect(inverse[2]).toBeCloseTo(0, 13);
    const x = choleskySolve(factor, n, Float64Array.of(1, 2, 3, 4));
    for (let i = 0; i < n; i++) {
      let total = 0;
      for (let j = 0; j < n; j++) total += lehmer[i * n + j] * x[j];
      expect(total).toBeCloseTo(i + 1, 13);
    }
  });

  it("refuses what is not positive definite, also where rounding hides it", () => {
    expect(() => choleskyFactor(Float64Array.of(1, 2, 2, 1), 2, "the precision")).toThrow(
      "the precision must be positive definite, but its pivot 1 is -3.",
    );
    expect(() => choleskyFactor(Float64Array.of(0.01, 0.1 * 0.3, 0.1 * 0.3, 0.09), 2, "x")).toThrow(
      /positive definite/,
    );
    expect(() => choleskyFactor(Float64Array.of(Number.NaN), 1, "x")).toThrow(/pivot 0 is NaN/);
  });
});
