import type { Parameters } from "../engine/parameters.js";
import type { Tensor3D } from "../engine/tf.js";
import type { Problem } from "./problem.js";

/** What a model declares of its Markov blankets. */
export interface Factors {
  /** The terms of log p(x, z) that hold z_n, its Markov blanket's, `[K, B, N]`. A term of several latents stands under each. */
  readonly logP: Tensor3D;
  /** log q_n(z_n), `[K, B, N]`; their sum over n is `logQ`. */
  readonly logQ: Tensor3D;
}

/** A problem with q(z) = ∏_n q_n(z_n), whose model says which of its terms hold which factor's latent. */
export interface FactorisedProblem<Theta extends Parameters, Phi extends Parameters, Z = Tensor3D>
  extends Problem<Theta, Phi, Z> {
  /** The terms of every factor at draws z. */
  factors(theta: Theta, phi: Phi, z: Z): Factors;
}

/**
 * A problem with its Markov blankets declared, which `raoBlackwell` needs.
 *
 * ```ts
 * // z ~ N(0, 1) in each of N independent coordinates: the blanket of z_n is its own term.
 * withFactors({ problem, factors: (_theta, { mean, logScale }, z) => ({ logP: normalLogDensity(z, 0, 1), logQ: normalLogDensity(z, mean, exp(logScale)) }) });
 * ```
 *
 * That q is a product and that the blankets are whole is the caller's word: it cannot be checked here. A blanket that lacks a term makes the gradient wrong, one
 * with a term too many only noisier.
 */
export function withFactors<Theta extends Parameters, Phi extends Parameters, Z>(options: {
  readonly problem: Problem<Theta, Phi, Z>;
  readonly factors: (theta: Theta, phi: Phi, z: Z) => Factors;
}): FactorisedProblem<Theta, Phi, Z> {
  return { ...options.problem, factors: options.factors };
}
