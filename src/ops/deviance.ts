import { type Tensor, tf } from "../engine/tf.js";

/**
 * `δ − (e^δ − 1)`, elementwise: at most 0, and about −½δ² near 0, so that a rounding error of δ hardly matters there.
 *
 * With δ the log of a mean over a value, the densities of the gamma, Poisson and negative binomial laws are this times the larger of the two, and Stirling's
 * remainder: nothing large cancels, as it does between n log λ, λ and log n!.
 *
 * Source: Loader 2000, "Fast and accurate computation of binomial probabilities".
 */
export function deviance(delta: Tensor): Tensor {
  return tf.tidy(() => tf.sub(delta, tf.expm1(delta)));
}
