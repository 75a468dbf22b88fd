import { checkLogWeights } from "./logWeights.js";

/** A Monte Carlo estimate: what a report prints as `value ± standardError (n)`. */
export interface Estimate {
  readonly value: number;
  /** One standard error of `value`; NaN where a single draw leaves it unknown. */
  readonly standardError: number;
  /** How many independent draws the estimate rests on. */
  readonly n: number;
}

/**
 * Sum with Neumaier's compensation, so that the rounding error does not grow with the number of terms.
 *
 * `Σ_i values[i]`, exact to a few units in the last place of the sum of magnitudes.
 *
 * @param values - `[n]`; empty gives 0.
 * Source: Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54.
 */
export function sum(values: ArrayLike<number>): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  // With an infinite term the compensation is ∞ − ∞, while the plain total is right.
  return Number.isFinite(total) ? total + lost : total;
}

/**
 * Arithmetic mean, `x̄ = (1/n) Σ_i x_i`.
 *
 * @param values - `[n]`, n ≥ 1.
 * @throws RangeError if `values` is empty.
 */
export function mean(values: ArrayLike<number>): number {
  if (values.length === 0) throw new RangeError("mean needs at least one value, but the list is empty.");
  return sum(values) / values.length;
}

/**
 * Unbiased variance, `s² = Σ_i (x_i − x̄)² / (n − 1)`, in two passes (no cancellation under a large mean).
 *
 * @param values - `[n]`, n ≥ 1; one value has no variance and gives NaN.
 * @throws RangeError if `values` is empty.
 */
export function variance(values: ArrayLike<number>): number {
  const centre = mean(values);
  const squares = Float64Array.from(values, (value) => (value - centre) ** 2);
  return values.length === 1 ? Number.NaN : sum(squares) / (values.length - 1);
}

/**
 * Standard error of the mean of independent draws, `s / √n`.
 *
 * @param values - `[n]`, n ≥ 1; one value gives NaN.
 * @throws RangeError if `values` is empty.
 */
export function standardError(values: ArrayLike<number>): number {
  return Math.sqrt(variance(values) / values.length);
}

/**
 * Mean of independent draws with its standard error, `x̄ ± s / √n`.
 *
 * @param values - `[n]`, n ≥ 1.
 * @throws RangeError if `values` is empty.
 */
export function estimateMean(values: ArrayLike<number>): Estimate {
  return { value: mean(values), standardError: standardError(values), n: values.length };
}

/**
 * Self-normalised importance-weighted mean with its delta-method standard error.
 *
 * `μ̂ = Σ_i w̄_i x_i`, `w̄_i = w_i / Σ_j w_j`, and `s.e.² = Σ_i w̄_i² (x_i − μ̂)²`.
 *
 * @param values - `[S]`, the integrand at each draw; where a weight is 0 the value is not read, so it may be NaN.
 * @param logWeights - `[S]`, unnormalised log-weights; −∞ allowed.
 * @throws RangeError if the lengths differ, there are none, a log-weight is NaN or +∞, or all are −∞.
 * Source: Owen 2013, "Monte Carlo theory, methods and examples", section 9.2.
 */
export function weightedMean(values: ArrayLike<number>, logWeights: ArrayLike<number>): Estimate {
  if (values.length !== logWeights.length) {
    throw new RangeError(
      `weightedMean got ${values.length} values but ${logWeights.length} log-weights; give one weight a value.`,
    );
  }
  checkLogWeights(logWeights, "weightedMean");
  const weights = normalisedWeights(logWeights);
  const value = sum(weights.map((w, i) => (w === 0 ? 0 : w * values[i])));
  const squares = weights.map((w, i) => (w === 0 ? 0 : (w * (values[i] - value)) ** 2));
  return { value, standardError: weights.length === 1 ? Number.NaN : Math.sqrt(sum(squares)), n: values.length };
}

/**
 * Self-normalised weighted variance, `Σ_i w̄_i (x_i − μ̂)²` with `μ̂` and `w̄` as in {@link weightedMean}.
 *
 * @param values - `[S]`, the quantity at each draw.
 * @param logWeights - `[S]`, unnormalised log-weights; −∞ allowed.
 * @throws RangeError if the lengths differ, there are none, a log-weight is NaN or +∞, or all are −∞.
 */
export function weightedVariance(values: ArrayLike<number>, logWeights: ArrayLike<number>): number {
  const { value: centre } = weightedMean(values, logWeights);
  return sum(normalisedWeights(logWeights).map((w, i) => (w === 0 ? 0 : w * (values[i] - centre) ** 2)));
}

function normalisedWeights(logWeights: ArrayLike<number>): Float64Array {
  let largest = -Infinity;
  for (let i = 0; i < logWeights.length; i++) largest = Math.max(largest, logWeights[i]);
  const weights = Float64Array.from(logWeights, (value) => Math.exp(value - largest));
  const total = sum(weights);
  return weights.map((w) => w / total);
}
