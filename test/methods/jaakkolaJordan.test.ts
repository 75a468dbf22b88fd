import { describe, expect, it } from "vitest";
import { logIntegral } from "../../src/diagnostics/quadrature.js";
import { jaakkolaJordan } from "../../src/methods/jaakkolaJordan.js";
import { grid, logEvidence, logJoint, mean, priorScale, rows, standardDeviations, table } from "./logisticTruth.js";

const lambda = (xi: number): number => Math.tanh(xi / 2) / (4 * xi);
const fit = jaakkolaJordan({ rows: table, priorScale });

describe("jaakkolaJordan", () => {
  it("stands at its fixed point: ξ_n² = x_nᵀ (Σ + μ μᵀ) x_n, and Σ and μ are those of its parabolas", () => {
    const [a, b, , d] = fit.covariance!;
    rows.forEach(([, , x], n) => {
      const square = a + 2 * b * x + d * x * x + (fit.mean[0] + fit.mean[1] * x) ** 2;
      expect(fit.xi[n]).toBeCloseTo(Math.sqrt(square), 5);
    });
    const determinant = a * d - b * b;
    const weights = Array.from(fit.xi, lambda);
    const precision = rows.reduce(
      ([p, q, r], [, , x], n) => [p + 2 * weights[n], q + 2 * weights[n] * x, r + 2 * weights[n] * x * x],
      [0.25, 0, 0.25],
    );
    expect(d / determinant).toBeCloseTo(precision[0], 9);
    expect(-b / determinant).toBeCloseTo(precision[1], 9);
    expect(a / determinant).toBeCloseTo(precision[2], 9);
    const linear = rows.reduce((sum, [y, , x]) => sum + (y - 0.5) * x, 0);
    expect(precision[1] * fit.mean[0] + precision[2] * fit.mean[1]).toBeCloseTo(linear, 9);
    expect(fit.converged).toBe(true);
  });

  it("has for bound the integral of prior times parabolas, by quadrature", () => {
    const lower = Float64Array.from({ length: grid.logWeights.length }, (_, i) => {
      const [a, b] = [grid.points[2 * i], grid.points[2 * i + 1]];
      const prior = -(a * a + b * b) / (2 * priorScale ** 2) - 2 * Math.log(priorScale) - Math.log(2 * Math.PI);
      return rows.reduce((sum, [y, , x], n) => {
        const [u, xi] = [(2 * y - 1) * (a + b * x), fit.xi[n]];
        return sum - Math.log1p(Math.exp(-xi)) + (u - xi) / 2 - lambda(xi) * (u * u - xi * xi);
      }, prior);
    });
    expect(fit.bound).toBeCloseTo(logIntegral(grid, lower), 9);
  });

  it("is below the ELBO of its Gaussian, which is below the evidence", () => {
    const [a, b, , d] = fit.covariance!;
    const determinant = a * d - b * b;
    let elbo = 0;
    grid.logWeights.forEach((weight, i) => {
      const [u, v] = [grid.points[2 * i] - fit.mean[0], grid.points[2 * i + 1] - fit.mean[1]];
      const logQ =
        -(d * u * u - 2 * b * u * v + a * v * v) / (2 * determinant) -
        Math.log(2 * Math.PI) -
        Math.log(determinant) / 2;
      elbo += Math.exp(weight + logQ) * (logJoint(grid.points[2 * i], grid.points[2 * i + 1]) - logQ);
    });
    expect(fit.bound).toBeLessThan(elbo - 1e-3);
    expect(elbo).toBeLessThan(logEvidence - 1e-3);
    expect(fit.bound).toBeGreaterThan(logEvidence - 1);
    // The price of the parabola: too narrow.
    for (const i of [0, 1]) expect(fit.standardDeviations[i]).toBeLessThan(standardDeviations[i]);
    expect(Math.abs(fit.mean[1] - mean[1])).toBeLessThan(standardDeviations[1]);
  });

  it("never lowers the bound, and starts below where it ends", () => {
    expect(fit.trace.length).toBe(fit.steps);
    expect(fit.trace.length).toBeGreaterThan(5);
    for (let i = 1; i < fit.trace.length; i++) expect(fit.trace[i]).toBeGreaterThanOrEqual(fit.trace[i - 1] - 1e-12);
    const early = jaakkolaJordan({ rows: table, priorScale, maxSteps: 2 });
    expect([early.converged, early.steps]).toEqual([false, 2]);
    expect(early.bound).toBeLessThan(fit.bound);
  });

  it("refuses bad input in a sentence", () => {
    const bad = (changes: object) => () => jaakkolaJordan({ rows: table, priorScale, ...changes });
    expect(bad({ rows: { rows: 0, columns: 3, values: new Float64Array(0) } })).toThrow("at least one row (y, x)");
    expect(bad({ rows: { rows: 1, columns: 2, values: Float64Array.of(2, 1) } })).toThrow("the label of row 0 is 2");
    expect(bad({ rows: { rows: 1, columns: 2, values: Float64Array.of(1, Number.NaN) } })).toThrow("row 0, column 1");
    expect(bad({ priorScale: 0 })).toThrow("priorScale must be positive");
    expect(bad({ tolerance: -1 })).toThrow("tolerance");
    expect(bad({ maxSteps: 0 })).toThrow("maxSteps must be a positive integer");
  });
});
