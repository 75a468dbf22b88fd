import type { Estimate } from "../diagnostics/moments.js";
import type { Parameters } from "../engine/parameters.js";
import type { HierarchyWithTau } from "./hierarchyWithTau.js";
import { type MarginalSandwich, type MarginalSandwichOptions, widening, zero } from "./sandwich.js";

/**
 * E log p(x) over data that a hierarchical *model* p(x) = ∫ p(x | z) p(z) dz generates itself, between two bounds with standard errors.
 *
 * ```ts
 * const model = { hierarchy: () => vaeHierarchy(decoder, theta), reverse: encoderReverse(encoder), eta: phi };
 * const { lower, upper } = await logEvidenceBounds(model, { width: 1, key });
 * ```
 *
 * Data are simulated with their latents, z_0 ~ p(z), x ~ p(x | z_0), so that z_0 is an exact draw of the posterior p(z | x); with z_1 … z_K from an encoder τ(z | x)
 *
 * E log (1/K) Σ_{k=1}^{K} p(x, z_k)/τ(z_k | x) ≤ E log p(x) ≤ E log (1/(K+1)) Σ_{k=0}^{K} p(x, z_k)/τ(z_k | x),
 *
 * the left side being IWAE's bound, the right side IWHVI's upper one. Both close in on E log p(x) as K grows, from any τ, and are equal to it at the posterior. It is `sandwich` with
 * x in z's place, z in ψ's, and the signs turned. For data from elsewhere there is no exact draw of the posterior, and no upper bound.
 *
 * @param model as a hierarchy: `mixing` is the prior p(z), `conditional` the likelihood p(x | z), `reverse` and `eta` the encoder τ(z | x). A trained `vae` and its encoder
 *   are one by `vaeHierarchy` and `encoderReverse`.
 * @param options as those of `sandwich`; `draws` is the number of simulated data.
 * @throws Error as `sandwich`.
 * Source: Sobolev & Vetrov 2019 (the upper bound); Grosse, Ghahramani & Adams 2015 (simulated data); Burda, Grosse & Salakhutdinov 2016, eq. 8 (the lower one).
 */
export async function logEvidenceBounds<Eta extends Parameters>(
  model: HierarchyWithTau<Eta>,
  options: MarginalSandwichOptions,
): Promise<MarginalSandwich> {
  const entropy = await widening("logEvidenceBounds", model, zero, options);
  const negative = (estimate: Estimate): Estimate => ({ ...estimate, value: -estimate.value });
  return { ...entropy, lower: negative(entropy.upper), upper: negative(entropy.lower) };
}
