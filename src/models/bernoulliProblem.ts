import type { Parameters } from "../engine/parameters.js";
import type { Tensor2D } from "../engine/tf.js";
import type { Problem } from "./problem.js";

/** A problem whose q is a product of Bernoullis, for the estimators that need to know its logits. Its latents are bits `[K, B, N]` as float32. */
export interface BernoulliProblem<Theta extends Parameters, Phi extends Parameters> extends Problem<Theta, Phi> {
  /** l, `[B, N]`: q(z_n = 1) = σ(l_n). */
  logits(phi: Phi): Tensor2D;
}
