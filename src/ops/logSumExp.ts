import { type Tensor, tf } from "../engine/tf.js";
import { differentiable } from "./differentiable.js";

const largestFloat32 = 3.4028234e38;

/**
 * `log Σ exp(xᵢ)` along one axis, shifted by the maximum so that it neither overflows nor underflows; differentiable any number of times.
 *
 * A slice that is −∞ throughout gives −∞ with the gradient 0 (`tf.logSumExp` gives NaN).
 *
 * @param x any shape but a scalar.
 * @param axis the axis to sum over; −1 is the last.
 * @param keepDims whether to keep that axis with size 1.
 */
export function logSumExp(x: Tensor, axis: number = -1, keepDims: boolean = false): Tensor {
  const at = axis < 0 ? axis + x.rank : axis;
  const keptShape = x.shape.map((n, i) => (i === at ? 1 : n));
  return differentiable(
    [x],
    (save) => {
      const { shift, parts } = shiftedParts(x, at);
      save([x, parts.shifted, parts.total]);
      const value = tf.add(tf.log(parts.total), shift);
      return keepDims ? value : tf.squeeze(value, [at]);
    },
    (dy, [x, shifted, total]) => [
      () => pullback(tf.reshape(dy, keptShape), x!, at, { shifted: shifted!, total: total! }),
    ],
  );
}

/** exp(x − max x), and its sum along the axis: 0 or at least 1. */
interface Parts {
  readonly shifted: Tensor;
  readonly total: Tensor;
}

function shiftedParts(x: Tensor, axis: number): { shift: Tensor; parts: Parts } {
  const shift = tf.clipByValue(tf.max(x, axis, true), -largestFloat32, largestFloat32); // −∞ − (−∞) would be NaN
  const shifted = tf.exp(tf.sub(x, shift));
  return { shift, parts: { shifted, total: tf.sum(shifted, axis, true) } };
}

/** `dy softmax(x)`, for dy with size 1 along the axis, as one operation: one pass over x. On a slice of −∞ it is 0, not NaN. */
function pullback(dy: Tensor, x: Tensor, axis: number, { shifted, total }: Parts): Tensor {
  return differentiable(
    [dy, x],
    (save) => {
      save([dy, x, shifted, total]);
      return tf.mul(shifted, tf.div(dy, tf.maximum(total, 1e-30)));
    },
    (ddy, saved) => {
      const [dy, x, shifted, total] = saved as [Tensor, Tensor, Tensor, Tensor];
      const parts = { shifted, total };
      const weighted = pullback(tf.onesLike(dy), x, axis, parts); // softmax
      const expected = tf.sum(tf.mul(weighted, ddy), axis, true);
      return [() => expected, () => tf.mul(tf.mul(weighted, dy), tf.sub(ddy, expected))];
    },
  );
}
