import { type Estimate, mean, sum, variance } from "./moments.js";

/**
 * Logarithm of a sum of exponentials, without overflow or underflow.
 *
 * `log Σ_i exp(x_i) = m + log Σ_i exp(x_i − m)`, `m = max_i x_i`.
 *
 * @param values - `[n]`; −∞ counts as 0; the empty sum, and all −∞, give −∞.
 * @throws RangeError if a value is NaN.
 */
export function logSumExp(values: ArrayLike<number>): number {
  const largest = maximum(values, "logSumExp");
  if (!Number.isFinite(largest)) return largest;
  return largest + Math.log(sum(Float64Array.from(values, (value) => Math.exp(value - largest))));
}

/**
 * Logarithm of a mean of exponentials, `log (1/n) Σ_i exp(x_i)`: the IWAE estimate of log p(x) from log-weights.
 *
 * @param values - `[n]`, n ≥ 1; −∞ counts as 0.
 * @throws RangeError if `values` is empty or a value is NaN.
 * Source: Burda, Grosse & Salakhutdinov 2016, equation 8.
 */
export function logMeanExp(values: ArrayLike<number>): number {
  if (values.length === 0) throw new RangeError("logMeanExp needs at least one value, but the list is empty.");
  return logSumExp(values) - Math.log(values.length);
}

/**
 * Log of a mean of exponentials of independent draws, with its delta-method standard error.
 *
 * `log w̄ ± s_w / (√n w̄)`, `w_i = exp(x_i)`. By Jensen the value is low by about half the squared standard error, so it is a
 * number to report only where the standard error is well below 1; {@link paretoSmoothing} says whether the error itself can be trusted.
 *
 * @param values - `[n]`, n ≥ 1; −∞ counts as 0. One value, or all −∞, leave the error unknown: NaN.
 * @throws RangeError if `values` is empty or a value is NaN or +∞.
 */
export function estimateLogMeanExp(values: ArrayLike<number>): Estimate {
  const value = logMeanExp(values);
  if (value === Infinity)
    throw new RangeError("estimateLogMeanExp: a log-weight is +∞; check log q(z) for a degenerate scale.");
  if (value === -Infinity) return { value, standardError: Number.NaN, n: values.length };
  const largest = maximum(values, "estimateLogMeanExp");
  const scaled = Float64Array.from(values, (x) => Math.exp(x - largest));
  return { value, standardError: Math.sqrt(variance(scaled) / values.length) / mean(scaled), n: values.length };
}

function maximum(values: ArrayLike<number>, what: string): number {
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) throw new RangeError(`${what}: value ${i} is NaN; find the log-density that made it.`);
    if (values[i] > largest) largest = values[i];
  }
  return largest;
}
