import { rankNormalised, splitChains } from "./chains.js";
import { mean, variance } from "./moments.js";

/**
 * Autocovariance of a series at one lag, `γ̂_t = (1/n) Σ_i (x_i − x̄)(x_{i+t} − x̄)`; `γ̂_t / γ̂_0` is its autocorrelation.
 *
 * The divisor is n and not n − t: that keeps the sequence positive definite and its far end quiet.
 *
 * @param values - `[n]`, n ≥ 1.
 * @param lag - t, an integer in [0, n).
 * @throws RangeError if there are no values or the lag is out of range.
 */
export function autocovariance(values: ArrayLike<number>, lag: number): number {
  if (!Number.isInteger(lag) || lag < 0 || lag >= Math.max(1, values.length))
    throw new RangeError(`autocovariance: the lag must be an integer in [0, ${values.length}), not ${lag}.`);
  return laggedProduct(centred(values), lag);
}

/**
 * How many independent draws would give the mean of correlated ones the same standard error: that error is the standard deviation over its root.
 *
 * `ESS = S / τ̂`, `τ̂ = −1 + 2 Σ_k (ρ̂_2k + ρ̂_2k+1)`, with ρ̂_t the autocorrelation across the 2C half-chains, `ρ̂_t = 1 − (W − mean_c γ̂_t,c) / v̂⁺`,
 * which stays near 1 while they disagree. The sum takes pairs until one is negative, none larger than the one before (Geyer). Chains that swing
 * about their mean can have more than S, capped at S log₁₀ S.
 *
 * @param chains - `[C][N]`, one quantity, N ≥ 4; the time is O(S τ).
 * @returns ESS; NaN if no draw ever moved.
 * @throws RangeError if there is no chain, if a chain has fewer than four draws, if lengths differ or if a draw is not finite.
 * Source: Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, equations 10–13; Geyer 1992, "Practical Markov chain Monte Carlo", section 3.3.
 */
export function chainEffectiveSampleSize(chains: readonly ArrayLike<number>[]): number {
  return effectiveDraws(splitChains(chains, "chainEffectiveSampleSize"));
}

/**
 * {@link chainEffectiveSampleSize} of the draws' normal scores (bulk-ESS): whether there are enough draws for the centre of the distribution,
 * also where it has no mean or variance. 100 a chain are customary.
 *
 * @throws RangeError as {@link chainEffectiveSampleSize}.
 * Source: Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, section 4.
 */
export function bulkEffectiveSampleSize(chains: readonly ArrayLike<number>[]): number {
  return effectiveDraws(rankNormalised(splitChains(chains, "bulkEffectiveSampleSize")));
}

function effectiveDraws(chains: readonly Float64Array[]): number {
  const n = chains[0].length;
  const within = mean(chains.map(variance));
  const total = ((n - 1) / n) * within + variance(chains.map(mean));
  if (total === 0) return Number.NaN;
  const apart = chains.map(centred);
  const correlation = (lag: number): number =>
    1 - (within - mean(apart.map((chain) => laggedProduct(chain, lag)))) / total;

  let [time, smallest] = [-1, Infinity];
  for (let lag = 0; ; lag += 2) {
    const even = lag === 0 ? 1 : correlation(lag);
    const pair = even + correlation(lag + 1);
    // At the first negative pair, or where the chain ends, the even lag alone is added, once.
    if (pair < 0 || lag + 4 >= n) {
      time += Math.max(0, even);
      break;
    }
    smallest = Math.min(smallest, pair);
    time += 2 * smallest;
  }
  const draws = chains.length * n;
  return draws / Math.max(time, 1 / Math.log10(draws));
}

function centred(values: ArrayLike<number>): Float64Array {
  const centre = mean(values);
  return Float64Array.from(values, (value) => value - centre);
}

/** (1/n) Σ_i x_i x_{i+t} of a series whose mean has been taken off. */
function laggedProduct(values: Float64Array, lag: number): number {
  let total = 0;
  for (let i = lag; i < values.length; i++) total += values[i] * values[i - lag];
  return total / values.length;
}
