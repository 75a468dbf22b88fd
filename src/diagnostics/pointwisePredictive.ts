import { chainEffectiveSampleSize } from "./autocorrelation.js";
import { type Estimate, mean, standardError, sum, variance } from "./moments.js";

/** The log posterior predictive of data, with what it is made of. */
export interface LogPredictive extends Estimate {
  /** log p̂(y_n | x_n) of every row, `[N]`. */
  readonly perDatum: Float64Array;
}

/** Options of {@link pointwisePredictive}. */
export interface PointwisePredictiveOptions {
  /** log p(y_n | z_s), `[S, N]` row by row; of C chains `[S, C, N]`, as `ChainDraws` keeps its draws. */
  readonly logLikelihoods: ArrayLike<number>;
  /** N ≥ 1. */
  readonly data: number;
  /** C, where the draws are those of Markov chains, S ≥ 4 of each. Default: independent draws, S ≥ 2. */
  readonly chains?: number;
}

/**
 * The log-density that draws of a posterior give to data, a datum's mean, from the log-likelihoods: (1/N) Σ_n log (1/S) Σ_s p(y_n | z_s).
 *
 * The standard error is over the draws, with the data fixed, by the delta method: that of the mean of i_s = (1/N) Σ_n p(y_n | z_s) / p̂_n, with S the draws' number or, along
 * chains, their effective one, which is the estimate's n. The logarithm biases the value down by half the relative variance of the inner mean, O(1/n).
 *
 * @throws RangeError if the numbers do not divide into draws, there are too few of them, a log-likelihood is NaN or +∞, or no draw gives a datum any density.
 * Source: Vehtari, Gelman & Gabry 2017, equation 3 (the computed lpd), with held-out data in the place of those that were fitted.
 */
export function pointwisePredictive(options: PointwisePredictiveOptions): LogPredictive {
  const { logLikelihoods: logs, data: n, chains } = options;
  const name = "pointwisePredictive";
  for (const [option, count] of Object.entries({ data: n, chains: chains ?? 1 }))
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${name}: ${option} must be a positive integer, not ${count}.`);
  const draws = logs.length / n;
  const [rows, least] = [draws / (chains ?? 1), chains === undefined ? 2 : 4];
  if (!Number.isInteger(rows) || rows < least)
    throw new RangeError(
      `${name}: ${logs.length} log-likelihoods of ${n} data are ${rows} draws${chains === undefined ? "" : " a chain"}; it needs a whole number of at least ${least}.`,
    );
  const largest = new Float64Array(n).fill(-Infinity);
  for (let i = 0; i < logs.length; i++) {
    if (!(logs[i] < Infinity))
      throw new RangeError(`${name}: the log-likelihood of datum ${i % n} at draw ${Math.floor(i / n)} is ${logs[i]}.`);
    if (logs[i] > largest[i % n]) largest[i % n] = logs[i];
  }
  const without = largest.indexOf(-Infinity);
  if (without !== -1) throw new RangeError(`${name}: no draw gives datum ${without} any density; look at both.`);
  const total = new Float64Array(n);
  for (let i = 0; i < logs.length; i++) total[i % n] += Math.exp(logs[i] - largest[i % n]);
  const perDatum = total.map((value, i) => largest[i] + Math.log(value / draws));
  const influence = Float64Array.from(
    { length: draws },
    (_, s) => sum(perDatum.map((log, i) => Math.exp(logs[s * n + i] - log))) / n,
  );
  return { value: mean(perDatum), perDatum, ...errorOf(influence, chains) };
}

function errorOf(influence: Float64Array, chains: number | undefined): { standardError: number; n: number } {
  if (chains === undefined) return { standardError: standardError(influence), n: influence.length };
  const apart = Array.from({ length: chains }, (_, c) => influence.filter((_, i) => i % chains === c));
  const n = chainEffectiveSampleSize(apart);
  return { standardError: Math.sqrt(variance(influence) / n), n };
}
