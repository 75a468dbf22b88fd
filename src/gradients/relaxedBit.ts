import { trapezoid } from "../diagnostics/quadrature.js";
import { checkTemperature } from "./gumbelSoftmax.js";

/** Options of {@link relaxedBit}. */
export interface RelaxedBitOptions {
  /** f′(z) for z in [0, 1], of what is averaged over the bit: log p(x, z), say. */
  readonly slope: (z: number) => number;
  /** l: q(z = 1) = σ(l). */
  readonly logit: number;
  /** τ > 0. */
  readonly temperature: number;
  /** Whether f′ is taken at the bit 1[y > 0], as straight-through does, in place of the relaxed σ(y). Default false. */
  readonly hard?: boolean;
}

/**
 * The exact mean and variance of the Gumbel-softmax or straight-through estimate of ∂ E f(z)/∂l of one bit from one draw, by quadrature: with y = (l + logistic
 * noise)/τ and p the logistic density,
 *
 * ĝ = f′(σ(y)) σ′(y)/τ,  E ĝ = ∫ f′(σ(y)) σ′(y) p(τy − l) dy,  E ĝ² = (1/τ) ∫ f′(σ(y))² σ′(y)² p(τy − l) dy.
 *
 * So as τ → 0 the mean is p(l) [f(1) − f(0)] − τ p′(l) ∫ y f′(σ(y)) σ′(y) dy + O(τ²), the truth and a bias of order τ, and the variance p(l)/τ ∫ f′(σ(y))² σ′(y)² dy.
 * With f′ at the bit the mean tends to p(l) [f′(0) + f′(1)]/2 instead: a bias that stays, unless f is quadratic.
 *
 * @throws Error if the temperature is not positive, or the logit is not finite.
 */
export function relaxedBit(options: RelaxedBitOptions): { readonly mean: number; readonly variance: number } {
  const { slope, logit, temperature, hard = false } = options;
  checkTemperature("relaxedBit", temperature);
  if (!Number.isFinite(logit)) throw new Error(`relaxedBit: the logit must be a finite number, not ${logit}.`);
  const { points, logWeights } = trapezoid(0, 40, 4001); // of σ′, which is 4e-18 at the end
  let [first, second] = [0, 0];
  for (const sign of [-1, 1]) {
    // One half-line after the other, since the hard slope jumps at 0.
    points.forEach((distance, i) => {
      const y = sign * distance;
      const path = slope(hard ? (1 + sign) / 2 : sigma(y)) * sigma(y) * sigma(-y);
      const noise = temperature * y - logit;
      const weight = Math.exp(logWeights[i]!) * sigma(noise) * sigma(-noise);
      first += weight * path;
      second += weight * path ** 2;
    });
  }
  return { mean: first, variance: second / temperature - first ** 2 };
}

function sigma(y: number): number {
  return y > 0 ? 1 / (1 + Math.exp(-y)) : Math.exp(y) / (1 + Math.exp(y));
}
