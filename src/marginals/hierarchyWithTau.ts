import type { Parameters } from "../engine/parameters.js";
import type { Tensor2D } from "../engine/tf.js";
import type { Hierarchy } from "../families/hierarchicalFamily.js";
import type { ReverseConditional } from "../families/reverseConditional.js";
import type { HierarchicalParameters, HierarchicalProblem } from "./hierarchicalProblem.js";

/** A density known as a hierarchy, with the auxiliary τ that its logarithm is estimated by: what {@link fittedQ} makes of a fitted q. */
export interface HierarchyWithTau<Eta extends Parameters> {
  /** The hierarchy at its parameters, for instance `() => family.hierarchy(phi.q, x)`; it is made anew in every pass. */
  readonly hierarchy: () => Hierarchy;
  /** The family of τ. */
  readonly reverse: ReverseConditional<Eta>;
  /** τ's parameters. */
  readonly eta: Eta;
  /** Data `[B, P]`, where τ looks at them. */
  readonly x?: Tensor2D;
}

/**
 * A problem's hierarchical q with its τ, at fitted parameters: what `sandwich` and `marginalGap` take.
 *
 * ```ts
 * const { phi } = await fit({ problem, … });
 * const { lower, upper } = await sandwich(fittedQ(problem, phi), logDensity, { width: 0.1, key });
 * ```
 *
 * It keeps φ, and does not copy it: dispose φ after the last use.
 */
export function fittedQ<Theta extends Parameters, Phi extends Parameters, Eta extends Parameters>(
  problem: Pick<HierarchicalProblem<Theta, Phi, Eta>, "hierarchy" | "marginal" | "x">,
  phi: HierarchicalParameters<Phi, Eta>,
): HierarchyWithTau<Eta> {
  return { hierarchy: () => problem.hierarchy(phi.q), reverse: problem.marginal.reverse, eta: phi.tau, x: problem.x };
}
