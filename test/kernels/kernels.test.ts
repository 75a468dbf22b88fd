import { describe, expect, it } from "vitest";
import { choleskyFactor } from "../../src/diagnostics/choleskyFactor.js";
import { productKernel, scaledKernel, sumKernel } from "../../src/kernels/compose.js";
import { inverseMultiquadric } from "../../src/kernels/inverseMultiquadric.js";
import { matern } from "../../src/kernels/matern.js";
import { medianDistance } from "../../src/kernels/medianDistance.js";
import type { RadialKernel } from "../../src/kernels/radialKernel.js";
import { squaredExponential } from "../../src/kernels/squaredExponential.js";
import { normalDraws } from "../diagnostics/draws.js";

const [wide, heavy, steep] = [
  squaredExponential({ lengthScale: 1.3 }),
  inverseMultiquadric({ offset: 0.7 }),
  inverseMultiquadric({ offset: 1.2, exponent: -0.3 }),
];
const kernels: readonly RadialKernel[] = [
  squaredExponential(),
  wide,
  inverseMultiquadric(),
  heavy,
  steep,
  sumKernel(wide, heavy, steep),
  productKernel(wide, heavy, steep),
  matern({ smoothness: 0.5 }),
  matern({ smoothness: 1.5, lengthScale: 1.4 }),
  matern({ smoothness: 2.5, lengthScale: 0.6 }),
  scaledKernel(productKernel(sumKernel(wide, heavy), steep), 2.5),
];

describe("kernels", () => {
  it.each(kernels.map((kernel) => [kernel.name, kernel] as const))("%s: κ′ and κ″ are its derivatives", (_, kernel) => {
    const h = 2e-6; // small beside the nearest s, where a Matérn kernel has a root
    for (const s of [0.01, 0.3, 1, 4, 20]) {
      expect((kernel.value(s + h) - kernel.value(s - h)) / (2 * h * kernel.slope(s))).toBeCloseTo(1, 7);
      expect((kernel.slope(s + h) - kernel.slope(s - h)) / (2 * h * kernel.curvature(s))).toBeCloseTo(1, 7);
    }
  });

  it.each(kernels.map((kernel) => [kernel.name, kernel] as const))(
    "%s: its matrix is positive definite",
    (_, kernel) => {
      const [n, dimension] = [12, 3];
      const x = normalDraws(n * dimension, "points");
      const square = (i: number, j: number): number => {
        let total = 0;
        for (let d = 0; d < dimension; d++) total += (x[i * dimension + d] - x[j * dimension + d]) ** 2;
        return total;
      };
      const matrix = Float64Array.from({ length: n * n }, (_, at) => kernel.value(square(Math.floor(at / n), at % n)));
      expect(() => choleskyFactor(matrix, n, kernel.name)).not.toThrow();
    },
  );

  it("has the values of its formulas", () => {
    expect(squaredExponential({ lengthScale: 2 }).value(3)).toBeCloseTo(Math.exp(-3 / 8), 14);
    expect(inverseMultiquadric({ offset: 2 }).value(5)).toBeCloseTo(1 / 3, 14);
    expect(inverseMultiquadric({ offset: 2, exponent: -2 }).value(5)).toBeCloseTo(1 / 81, 14);
    expect(sumKernel(wide, heavy).value(1.7)).toBeCloseTo(wide.value(1.7) + heavy.value(1.7), 14);
    expect(productKernel(wide, heavy).value(1.7)).toBeCloseTo(wide.value(1.7) * heavy.value(1.7), 14);
    expect(scaledKernel(heavy, 3).value(1.7)).toBeCloseTo(3 * heavy.value(1.7), 14);
  });

  it("refuses what is no kernel", () => {
    expect(() => squaredExponential({ lengthScale: 0 })).toThrow("squaredExponential: lengthScale must be positive");
    expect(() => inverseMultiquadric({ offset: Number.NaN })).toThrow("inverseMultiquadric: offset must be positive");
    expect(() => inverseMultiquadric({ exponent: 0.5 })).toThrow("inverseMultiquadric: exponent must be negative");
    expect(() => scaledKernel(wide, -1)).toThrow("scaledKernel: variance must be positive");
    expect(() => sumKernel()).toThrow("sumKernel needs at least one kernel");
    expect(() => productKernel()).toThrow("productKernel needs at least one kernel");
  });
});

describe("medianDistance", () => {
  it("is the middle distance, by hand", () => {
    expect(medianDistance([0, 1, 3], 1)).toBe(2); // 1, 2, 3
    expect(medianDistance([0, 0, 3, 4, 0, 8], 2)).toBe(5); // 5, 5, 8
    expect(medianDistance([0, 1, 3, 7], 1)).toBe(3.5); // 1, 2, 3, 4, 6, 7
  });

  it("is √2 Φ⁻¹(¾) of standard normals, also from some of many", () => {
    const exact = Math.SQRT2 * 0.6744897501960817;
    const x = normalDraws(20_000, "median");
    expect(Math.abs(medianDistance(x, 1) / exact - 1)).toBeLessThan(0.1); // 4 s.e. of 1,000 points
    expect(medianDistance(x.subarray(0, 1000), 1)).toBe(medianDistance(x.subarray(0, 1000), 1, { most: 1000 }));
    const halves = [...x.subarray(0, 1000), ...x.subarray(0, 1000).map((value) => value + 100)];
    expect(medianDistance(halves, 1, { most: 200 })).toBeGreaterThan(90); // looks at both halves
  });

  it("refuses what has none", () => {
    expect(() => medianDistance([1], 1)).toThrow("at least two points");
    expect(() => medianDistance([1, 2, 3], 2)).toThrow("2 coordinates each, but got 3 numbers");
    expect(() => medianDistance([1, 2], 0)).toThrow("dimension must be a positive integer");
    expect(() => medianDistance([1, 2, 3], 1, { most: 1 })).toThrow("most must be");
    expect(() => medianDistance([1, 1, 1], 1)).toThrow("median distance is 0");
    expect(() => medianDistance([1, Number.NaN, 3], 1)).toThrow("the largest NaN");
  });
});
