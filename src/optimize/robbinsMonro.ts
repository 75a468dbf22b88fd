import type { Schedule } from "./optimizer.js";

/**
 * `ρ_t = (τ + t)^−κ`, t = 1, 2, …: step sizes with Σ ρ_t = ∞ and Σ ρ_t² < ∞, as stochastic approximation needs to converge.
 *
 * Both conditions hold exactly for κ in (½, 1]. τ ≥ 0 slows the first steps down; ρ_1 = (τ + 1)^−κ ≤ 1.
 *
 * @param options - `kappa`: the forgetting rate; `tau`: the delay.
 * @throws RangeError if κ is not in (0.5, 1] or τ is negative or not finite.
 * Source: Robbins & Monro 1951, "A stochastic approximation method"; Hoffman, Blei, Wang & Paisley 2013, equation 26.
 */
export function robbinsMonro(options: { readonly kappa: number; readonly tau: number }): Schedule {
  const { kappa, tau } = options;
  if (!(kappa > 0.5 && kappa <= 1)) {
    throw new RangeError(
      `robbinsMonro: κ must be in (0.5, 1], not ${kappa}: at 0.5 or below Σ ρ² diverges and the noise never dies, above 1 Σ ρ converges and the steps end too soon.`,
    );
  }
  if (!(tau >= 0 && tau < Infinity)) throw new RangeError(`robbinsMonro: τ must be finite and ≥ 0, not ${tau}.`);
  return (step) => (tau + step + 1) ** -kappa;
}
