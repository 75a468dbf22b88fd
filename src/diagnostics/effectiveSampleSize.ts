import { checkLogWeights } from "./logWeights.js";
import { sum } from "./moments.js";

/**
 * Kish's effective sample size of importance weights: how many equally weighted draws carry the same information.
 *
 * `ESS = (Σ_s w_s)² / Σ_s w_s²`, between 1 (one draw carries all) and S (all weights equal); it does not change when
 * all weights are scaled. A large value is no proof of a good fit: a region that q never visits leaves no trace in it.
 *
 * @param logWeights - `[S]`, unnormalised log p(x, z_s) − log q(z_s | x), S ≥ 1; −∞ counts as weight 0.
 * @throws RangeError if there are none, if one is NaN or +∞, or if all are −∞.
 * Source: Kish 1965, "Survey Sampling"; Owen 2013, "Monte Carlo theory, methods and examples", section 9.3.
 */
export function effectiveSampleSize(logWeights: ArrayLike<number>): number {
  checkLogWeights(logWeights, "effectiveSampleSize");
  let largest = -Infinity;
  for (let i = 0; i < logWeights.length; i++) largest = Math.max(largest, logWeights[i]);
  const weights = Float64Array.from(logWeights, (value) => Math.exp(value - largest));
  return sum(weights) ** 2 / sum(weights.map((w) => w * w));
}
