import { type Tensor, tf } from "../engine/tf.js";
import { logSumExp } from "./logSumExp.js";

/**
 * `log (1/n) Σ exp(xᵢ)` along one axis of size n, as stable and differentiable as {@link logSumExp}.
 *
 * @param axis the axis to average over; −1 is the last.
 * @param keepDims whether to keep that axis with size 1.
 */
export function logMeanExp(x: Tensor, axis: number = -1, keepDims: boolean = false): Tensor {
  const n = x.shape[axis < 0 ? axis + x.rank : axis]!;
  return tf.tidy(() => tf.sub(logSumExp(x, axis, keepDims), Math.log(n)));
}
