import type { Estimate } from "./moments.js";
import { sum } from "./moments.js";

/** What {@link uStatistic} needs of h(x_i, x_j), i ≠ j: with it no matrix is held. */
export interface PairSums {
  /** Σ_{j ≠ i} h_ij, `[n]`. */
  readonly rows: Float64Array;
  /** Σ_{i ≠ j} h_ij². */
  readonly squares: number;
}

/** The parts of a two-point function's second moment, each without the bias of its plug-in estimate. */
export interface PairMoments {
  /** θ = E h(x, x′). */
  readonly mean: number;
  /** E h². */
  readonly square: number;
  /** E (E[h | x])². */
  readonly projected: number;
}

/** E h, E h² and E (E[h | x])² of a symmetric h from n ≥ 3 points. @internal */
export function pairMoments({ rows, squares }: PairSums): PairMoments {
  const n = rows.length;
  const mean = sum(rows) / (n * (n - 1));
  const square = squares / (n * (n - 1));
  // E of a row mean's square is (E h² + (n − 2) E (E[h | x])²) / (n − 1).
  const rowSquare = sum(rows.map((row) => (row / (n - 1)) ** 2)) / n;
  return { mean, square, projected: ((n - 1) * rowSquare - square) / (n - 2) };
}

/**
 * The U-statistic of a symmetric function of two points, U = (1/(n(n−1))) Σ_{i≠j} h(x_i, x_j), with its standard error.
 *
 * `Var U = (4(n−2) ζ_1 + 2 ζ_2) / (n(n−1))`, `ζ_1 = Var E[h | x]`, `ζ_2 = Var h`. Both terms are kept, so that the error has the right order also where h
 * is degenerate (ζ_1 = 0), as those of kernel tests are under their null; there it is about a quarter too large, as an estimate of ζ_1 below 0 is set to 0.
 *
 * Source: Hoeffding 1948, "A class of statistics with asymptotically normal distribution". @internal
 */
export function uStatistic(sums: PairSums): Estimate {
  const n = sums.rows.length;
  const { mean, square, projected } = pairMoments(sums);
  const first = Math.max(0, projected - mean ** 2);
  const second = Math.max(0, square - mean ** 2);
  const variance = (4 * (n - 2) * first + 2 * second) / (n * (n - 1));
  return { value: mean, standardError: Math.sqrt(variance), n };
}

/** The rows of `[n · D]` as one Float64Array, checked. @internal */
export function pointsOf(name: string, values: ArrayLike<number>, dimension: number, least = 3): Float64Array {
  if (!Number.isInteger(dimension) || dimension < 1)
    throw new RangeError(`${name}: the dimension must be a positive integer, not ${dimension}.`);
  const n = values.length / dimension;
  if (!Number.isInteger(n) || n < least) {
    throw new RangeError(
      `${name} needs at least ${least} points of ${dimension} coordinates each, but got ${values.length} numbers.`,
    );
  }
  const points = Float64Array.from(values);
  const bad = points.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) {
    throw new RangeError(
      `${name}: coordinate ${bad % dimension} of point ${Math.floor(bad / dimension)} is ${points[bad]}; it must be finite.`,
    );
  }
  return points;
}

/** p-value of an exchangeable resampling test: (1 + #{T_b ≥ T}) / (1 + B), which has the level it says for any B. @internal */
export function resamplingPValue(statistic: number, resampled: ArrayLike<number>): number {
  // Relabellings that give the same partition differ from it by rounding alone.
  const slack = 1e-12 * Math.abs(statistic);
  let above = 0;
  for (let b = 0; b < resampled.length; b++) if (resampled[b] >= statistic - slack) above++;
  return (1 + above) / (1 + resampled.length);
}
