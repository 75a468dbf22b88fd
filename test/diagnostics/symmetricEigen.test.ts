import { describe, expect, it } from "vitest";
import { symmetricEigen } from "../../src/diagnostics/symmetricEigen.js";

describe("symmetricEigen", () => {
  it("takes a matrix apart into orthonormal eigenvectors and descending eigenvalues", () => {
    const n = 6;
    const at = (i: number, j: number): number => Math.sin(1 + 3 * Math.min(i, j) + Math.max(i, j)) + (i === j ? i : 0);
    const matrix = Float64Array.from({ length: n * n }, (_, k) => at(Math.floor(k / n), k % n));
    const { values, vectors } = symmetricEigen(matrix, n);
    for (let i = 0; i < n; i++) {
      if (i > 0) expect(values[i]).toBeLessThanOrEqual(values[i - 1]);
      for (let j = 0; j < n; j++) {
        let [inner, rebuilt] = [0, 0];
        for (let k = 0; k < n; k++) {
          inner += vectors[i * n + k] * vectors[j * n + k];
          rebuilt += values[k] * vectors[k * n + i] * vectors[k * n + j];
        }
        expect(inner).toBeCloseTo(Number(i === j), 12);
        expect(rebuilt).toBeCloseTo(matrix[i * n + j], 12);
      }
    }
  });

  it("knows the eigenvalues of a 2 × 2 matrix, and of a diagonal one", () => {
    expect(Array.from(symmetricEigen(Float64Array.of(2, 1, 1, 2), 2).values)).toEqual([
      expect.closeTo(3, 14),
      expect.closeTo(1, 14),
    ]);
    expect(Array.from(symmetricEigen(Float64Array.of(1, 0, 0, 5), 2).values)).toEqual([5, 1]);
  });

  it("refuses what is no matrix", () => {
    expect(() => symmetricEigen(new Float64Array(3), 2)).toThrow("2 × 2 numbers, not 3");
    expect(() => symmetricEigen(Float64Array.of(1, Number.NaN, 0, 1), 2)).toThrow("not finite");
  });
});
