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

/**
 * `sumToShape` of a tensor that broadcasting has yet to stretch, without stretching it: what is stretched and summed again is multiplied.
 *
 * @param x tensor whose shape has the rank of `full` and broadcasts to it.
 * @param full the shape it stands for.
 * @param shape a shape that broadcasts to `full`; the result broadcasts to it.
 */
export function sumBroadcast(x: Tensor, full: readonly number[], shape: readonly number[]): Tensor {
  const added = full.length - shape.length;
  const summed = full.map((_, i) => i).filter((i) => i < added || (shape[i - added] === 1 && full[i] !== 1));
  const copies = summed.filter((i) => x.shape[i] === 1).reduce((product, i) => product * full[i]!, 1);
  return tf.tidy(() => {
    const axes = summed.filter((i) => x.shape[i] !== 1);
    const sums = axes.length ? tf.sum(x, axes, true) : x;
    const kept = tf.reshape(sums, sums.shape.slice(added));
    return copies === 1 ? kept : tf.mul(kept, copies);
  });
}
