import { chainEffectiveSampleSize } from "./autocorrelation.js";
import { type Estimate, mean, sum, variance } from "./moments.js";

/**
 * Mean of the draws of Markov chains, `x̄ ± s / √ESS`; the estimate's `n` is ESS, the independent draws that they are worth.
 *
 * @param chains - `[C][N]`, N ≥ 4.
 * @throws RangeError as {@link chainEffectiveSampleSize}.
 * Source: Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, section 4.
 */
export function chainMean(chains: readonly ArrayLike<number>[]): Estimate {
  const all = joined(chains);
  return { value: mean(all), ...error(chains) };
}

/**
 * Standard deviation of the draws of Markov chains, with the delta-method standard error: that of the mean of `((x − x̄)² − s²) / 2s`.
 *
 * @param chains - `[C][N]`, N ≥ 4.
 * @throws RangeError as {@link chainEffectiveSampleSize}.
 */
export function chainStandardDeviation(chains: readonly ArrayLike<number>[]): Estimate {
  const all = joined(chains);
  const [centre, value] = [mean(all), Math.sqrt(variance(all))];
  return { value, ...error(chains.map((chain) => Float64Array.from(chain, (x) => (x - centre) ** 2 / (2 * value)))) };
}

/**
 * Correlation of two quantities along Markov chains, with the delta-method standard error: that of the mean of `u v − ρ (u² + v²) / 2`, u and v the
 * standardised draws.
 *
 * @param a - `[C][N]`, N ≥ 4.
 * @param b - the other quantity in the same draws.
 * @throws RangeError if the shapes differ, or as {@link chainEffectiveSampleSize}.
 */
export function chainCorrelation(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): Estimate {
  if (a.length !== b.length || a.some((chain, c) => chain.length !== b[c].length))
    throw new RangeError("chainCorrelation: the two quantities need the same number of chains and draws.");
  const [u, v] = [standardised(a), standardised(b)];
  const products = u.flatMap((chain, c) => Array.from(chain, (x, i) => x * v[c][i]));
  const value = sum(products) / (products.length - 1);
  const influence = u.map((chain, c) => chain.map((x, i) => x * v[c][i] - (value * (x ** 2 + v[c][i] ** 2)) / 2));
  // A quantity is its own correlate, without error and without a varying influence.
  if (influence.every((chain) => chain.every((x) => Math.abs(x) < 1e-12)))
    return { value, standardError: 0, n: products.length };
  return { value, ...error(influence) };
}

function error(influence: readonly ArrayLike<number>[]): Omit<Estimate, "value"> {
  const n = chainEffectiveSampleSize(influence);
  return { standardError: Math.sqrt(variance(joined(influence)) / n), n };
}

function standardised(chains: readonly ArrayLike<number>[]): Float64Array[] {
  const all = joined(chains);
  const [centre, scale] = [mean(all), Math.sqrt(variance(all))];
  return chains.map((chain) => Float64Array.from(chain, (x) => (x - centre) / scale));
}

function joined(chains: readonly ArrayLike<number>[]): Float64Array {
  return Float64Array.from(chains.flatMap((chain) => Array.from(chain)));
}
