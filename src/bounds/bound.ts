import type { Tensor1D, Tensor2D } from "../engine/tf.js";

/**
 * A bound on log p(x) that is a function of K log-weights log w_k = log p(x, z_k) − log q(z_k | x), symmetric in them, with its first two
 * derivatives.
 *
 * With c = `weights` and d = `curvature`, the pathwise gradient of the bound weighs ∂log w_k by c, and the doubly reparameterised one weighs
 * q's path by c − d.
 */
export interface Bound {
  readonly name: string;
  /** L, `[B]`, for log-weights `[K, B]`; differentiable in them. */
  value(logW: Tensor2D): Tensor1D;
  /** c_kb = ∂L_b/∂log w_kb, `[K, B]`. */
  weights(logW: Tensor2D): Tensor2D;
  /** d_kb = ∂²L_b/∂(log w_kb)², `[K, B]`. */
  curvature(logW: Tensor2D): Tensor2D;
  /** L of one datum's K log-weights in Float64, for reports. */
  evaluate(logW: ArrayLike<number>): number;
}
