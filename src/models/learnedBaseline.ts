import type { Parameters } from "../engine/parameters.js";
import type { Tensor } from "../engine/tf.js";
import type { FactorisedProblem } from "./factorisedProblem.js";
import type { Problem } from "./problem.js";
import { type Beside, liftedProblem } from "./withParameters.js";

/** A problem with a baseline b_ψ(x) that is learned beside q: φ is `{ q, baseline }`. */
export interface BaselinedProblem<Theta extends Parameters, Phi extends Parameters, Psi extends Parameters, Z>
  extends Problem<Theta, Beside<Phi, "baseline", Psi>, Z> {
  /** b_ψ(x_b) of each datum, `[B]`, or of each of its factors, `[B, N]`. */
  baseline(psi: Psi): Tensor;
}

/**
 * A problem with a baseline that `learnedBaseline` takes off each datum's bound, or each of its factors' signals, and learns: φ becomes `{ q: φ, baseline: ψ }`.
 *
 * ```ts
 * // one number for each of the data: a mean of its own
 * withLearnedBaseline({ problem, baseline: ({ level }) => level }); // ψ = { level: tf.zeros([B]) }
 * ```
 *
 * @param options.baseline ψ to one number a datum, `[B]`, or a factor, `[B, N]`: a network of x, say, with the batch's x within the function. It must not look at the draws.
 * @throws Error if log q is a marginal's estimate.
 */
export function withLearnedBaseline<
  Theta extends Parameters,
  Phi extends Parameters,
  Psi extends Parameters,
  Z,
>(options: {
  readonly problem: Problem<Theta, Phi, Z>;
  readonly baseline: (psi: Psi) => Tensor;
}): BaselinedProblem<Theta, Phi, Psi, Z> {
  const lifted = liftedProblem<Theta, Phi, Beside<Phi, "baseline", Psi>, Z>("withLearnedBaseline", options.problem);
  if (!("factors" in options.problem)) return { ...lifted, baseline: options.baseline };
  const { factors } = options.problem as FactorisedProblem<Theta, Phi, Z>;
  const liftedFactors: FactorisedProblem<Theta, Beside<Phi, "baseline", Psi>, Z>["factors"] = (theta, phi, z) =>
    factors(theta, phi.q, z);
  return Object.assign(lifted, { baseline: options.baseline, factors: liftedFactors });
}
