import { logIntegral, productRule, type Quadrature, trapezoid } from "../../src/diagnostics/quadrature.js";

/** A small logistic regression with an intercept: twelve rows (y, 1, x), coefficients N(0, 2² I), everything exact by quadrature. */
export const priorScale = 2;
export const rows: readonly (readonly [number, number, number])[] = [
  [0, 1, -2],
  [0, 1, -1.4],
  [1, 1, -1],
  [0, 1, -0.7],
  [0, 1, -0.2],
  [1, 1, 0.1],
  [0, 1, 0.4],
  [1, 1, 0.8],
  [1, 1, 1.1],
  [1, 1, 1.3],
  [1, 1, 1.9],
  [1, 1, 2.4],
];

export const table = { rows: rows.length, columns: 3, values: Float64Array.from(rows.flat()) };

export const grid: Quadrature = productRule(trapezoid(-12, 12, 481), trapezoid(-12, 14, 521));

/** log N(w; 0, 4 I) + Σ log σ(±xᵀ w) in Float64. */
export function logJoint(a: number, b: number): number {
  const prior = -(a * a + b * b) / (2 * priorScale ** 2) - 2 * Math.log(priorScale) - Math.log(2 * Math.PI);
  return rows.reduce((sum, [y, , x]) => sum - Math.log1p(Math.exp(-(2 * y - 1) * (a + b * x))), prior);
}

const logs = Float64Array.from({ length: grid.logWeights.length }, (_, i) =>
  logJoint(grid.points[2 * i], grid.points[2 * i + 1]),
);

/** log p(y | x). */
export const logEvidence: number = logIntegral(grid, logs);

const expectation = (f: (a: number, b: number) => number): number =>
  logs.reduce(
    (sum, log, i) =>
      sum + Math.exp(log + grid.logWeights[i] - logEvidence) * f(grid.points[2 * i], grid.points[2 * i + 1]),
    0,
  );

/** Posterior means. */
export const mean: readonly [number, number] = [expectation((a) => a), expectation((_, b) => b)];
/** Posterior standard deviations. */
export const standardDeviations: readonly [number, number] = [
  Math.sqrt(expectation((a) => (a - mean[0]) ** 2)),
  Math.sqrt(expectation((_, b) => (b - mean[1]) ** 2)),
];
