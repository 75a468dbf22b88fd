import { describe, expect, it } from "vitest";
import { gaussianCoordinateAscent } from "../../src/methods/gaussianCoordinateAscent.js";

/** Precision of two standard normals with correlation ρ. */
const pair = (rho: number): Float64Array => Float64Array.of(1, -rho, -rho, 1).map((value) => value / (1 - rho * rho));

describe("gaussianCoordinateAscent", () => {
  it("has variances 1 − ρ², means that come in by ρ² a sweep, and the KL that is left, −½ log(1 − ρ²)", () => {
    for (const rho of [0, 0.5, -0.9]) {
      const mean = Float64Array.of(1, -2);
      const once = gaussianCoordinateAscent({ mean, precision: pair(rho), start: Float64Array.of(3, 4), maxSweeps: 1 });
      const twice = gaussianCoordinateAscent({
        mean,
        precision: pair(rho),
        start: Float64Array.of(3, 4),
        maxSweeps: 2,
      });
      expect(once.variances[0]).toBeCloseTo(1 - rho ** 2, 12);
      expect(once.mean[0] - 1).toBeCloseTo(rho * 6, 12);
      expect(once.mean[1] + 2).toBeCloseTo(rho * rho * 6, 12);
      expect(twice.mean[1] + 2).toBeCloseTo(rho ** 4 * 6, 12);
      const run = gaussianCoordinateAscent({ mean, precision: pair(rho) });
      expect(run.converged).toBe(true);
      expect(run.trace[run.sweeps]).toBeCloseTo(-Math.log(1 - rho ** 2) / 2, 12);
      expect(run.mean[0]).toBeCloseTo(1, 6);
    }
  });

  it("never raises KL, and no other factorised Gaussian has less", () => {
    const precision = Float64Array.of(4, 1.5, -0.8, 1.5, 2, 0.3, -0.8, 0.3, 1);
    const mean = Float64Array.of(0.5, -1, 2);
    const {
      trace,
      variances,
      mean: m,
      sweeps,
    } = gaussianCoordinateAscent({ mean, precision, start: Float64Array.of(9, 9, 9) });
    for (let t = 1; t < trace.length; t++) expect(trace[t]).toBeLessThanOrEqual(trace[t - 1] + 1e-12);
    const determinant = 4 * (2 - 0.09) - 1.5 * (1.5 + 0.24) - 0.8 * (0.45 + 1.6);
    /** KL of N(at, diag v) by its general formula. */
    const kl = (at: readonly number[], v: readonly number[]): number => {
      let total = -3 - Math.log(determinant);
      for (let i = 0; i < 3; i++) {
        total += precision[4 * i] * v[i] - Math.log(v[i]);
        for (let j = 0; j < 3; j++) total += (at[i] - mean[i]) * precision[3 * i + j] * (at[j] - mean[j]);
      }
      return total / 2;
    };
    const best = kl([...m], [...variances]);
    expect(trace[sweeps]).toBeCloseTo(best, 10);
    for (let d = 0; d < 3; d++) {
      for (const factor of [0.95, 1.05]) {
        expect(kl([...m], variances.map((v, e) => (e === d ? v * factor : v)) as unknown as number[])).toBeGreaterThan(
          best,
        );
      }
      expect(
        kl(
          [...m].map((x, e) => (e === d ? x + 0.05 : x)),
          [...variances],
        ),
      ).toBeGreaterThan(best);
    }
  });

  it("refuses what is no Gaussian", () => {
    const mean = Float64Array.of(0, 0);
    const bad =
      (precision: number[], more: object = {}) =>
      () =>
        gaussianCoordinateAscent({ mean, precision: Float64Array.from(precision), ...more });
    expect(bad([1, 2, 2, 1])).toThrow("the precision must be positive definite");
    expect(bad([1, 0.5, 0, 1])).toThrow("must be symmetric, but differs at (1, 0)");
    expect(bad([1, 0, 0])).toThrow("precision of D² numbers");
    expect(bad([1, 0, 0, Number.NaN])).toThrow("must be finite");
    expect(bad([1, 0, 0, 1], { tolerance: -1 })).toThrow("tolerance must be ≥ 0");
    expect(bad([1, 0, 0, 1], { maxSweeps: 0 })).toThrow("maxSweeps must be a positive integer");
  });
});
