import { Independent } from "../distributions/independent.js";
import { Normal } from "../distributions/normal.js";
import type { Parameters } from "../engine/parameters.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import type { Problem } from "../models/problem.js";

/**
 * Mean and standard deviation of a q that is a product of normals, both `[B, D]` and differentiable in φ.
 *
 * @throws Error if the problem does not say that its q is one.
 */
export function diagonalGaussian<Theta extends Parameters, Phi extends Parameters, Z>(
  name: string,
  problem: Problem<Theta, Phi, Z>,
  phi: Phi,
): { readonly mean: Tensor2D; readonly scale: Tensor2D } {
  const q = "marginal" in problem ? undefined : problem.distribution?.(phi);
  if (q instanceof Independent && q.base instanceof Normal && q.base.batchShape.length === 2) {
    const { mean, scale } = q.base.parameters;
    const zeros = tf.zeros([...q.base.batchShape]);
    return { mean: tf.add(mean, zeros) as Tensor2D, scale: tf.add(scale, zeros) as Tensor2D };
  }
  throw new Error(
    `${name}: it is made for a q that is a product of normals, and this problem's is not known to be one; use meanFieldGaussian or amortisedGaussian, or another gradient.`,
  );
}
