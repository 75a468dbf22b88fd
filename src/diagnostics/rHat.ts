import { pooled, rankNormalised, splitChains } from "./chains.js";
import { mean, variance } from "./moments.js";

/**
 * Rank-normalised split R̂: whether chains that started apart now sample one distribution; 1 if they do, and above 1.01 not yet.
 *
 * `R̂ = √(v̂⁺ / W)`, `v̂⁺ = (n − 1)/n · W + B/n`, with B/n the variance of the 2C half-chains' means and W the mean of their variances. It is the
 * larger of two: that of the draws' normal scores, which sees chains of different location, and that of the scores of their distances from the
 * median, which sees chains of different spread.
 *
 * @param chains - `[C][N]`, one quantity, C ≥ 1 chains (four or more are customary) of N ≥ 4 draws, warm-up left out.
 * @returns R̂; NaN if no draw ever moved, ∞ if every chain stays where it started and they differ.
 * @throws RangeError if there is no chain, if a chain has fewer than four draws, if lengths differ or if a draw is not finite.
 * Source: Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, "Rank-normalization, folding, and localization: an improved R̂", Bayesian
 * Analysis 16, equations 1–4, 14 and section 4.
 */
export function rHat(chains: readonly ArrayLike<number>[]): number {
  const halves = splitChains(chains, "rHat");
  const median = medianOf(pooled(halves));
  const folded = halves.map((half) => half.map((value) => Math.abs(value - median)));
  const [location, spread] = [
    potentialScaleReduction(rankNormalised(halves)),
    potentialScaleReduction(rankNormalised(folded)),
  ];
  // Two-valued draws have one distance from their median: their spread says nothing, and is NaN.
  return Number.isNaN(spread) ? location : Math.max(location, spread);
}

function potentialScaleReduction(chains: readonly Float64Array[]): number {
  const n = chains[0].length;
  const within = mean(chains.map(variance));
  const between = variance(chains.map(mean));
  return Math.sqrt((n - 1) / n + between / within);
}

function medianOf(values: Float64Array): number {
  const ordered = values.slice().sort();
  const middle = ordered.length >> 1;
  return ordered.length % 2 === 1 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2;
}
