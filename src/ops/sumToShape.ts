import { type Tensor, tf } from "../engine/tf.js";

/**
 * Sums a tensor over the dimensions that broadcasting added or stretched: the adjoint of broadcasting `shape` to `x.shape`.
 *
 * @param x tensor of a shape to which `shape` broadcasts.
 * @param shape the shape before broadcasting.
 */
export function sumToShape(x: Tensor, shape: readonly number[]): Tensor {
  const added = x.rank - shape.length;
  const axes = x.shape.map((_, i) => i).filter((i) => i < added || (shape[i - added] === 1 && x.shape[i] !== 1));
  return axes.length === 0 ? tf.clone(x) : tf.tidy(() => tf.reshape(tf.sum(x, axes), [...shape]));
}
