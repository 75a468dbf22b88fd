import { type Tensor, type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { type Bijection, elementwise } from "./bijection.js";

/**
 * Numbers without a constraint: `y = x`.
 *
 * @param shape - of one value; `[]`, a single number, by default.
 * @throws Error if a size is not a positive integer.
 */
export function real(shape?: readonly []): Bijection<Tensor1D>;
export function real(shape: readonly [number]): Bijection<Tensor2D>;
export function real(shape: readonly [number, number]): Bijection<Tensor3D>;
export function real(shape: readonly number[]): Bijection<Tensor>;
export function real(shape: readonly number[] = []): Bijection<Tensor> {
  return elementwise({ name: "real", shape, forward: (x) => tf.clone(x), inverse: (y) => tf.clone(y) });
}
