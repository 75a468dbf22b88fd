import { type Tensor, tf } from "../engine/tf.js";

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
  const operation = tf.customGrad((...inputs) => {
    const [x, save] = inputs as unknown as [Tensor, tf.GradSaveFunc];
    save([x]);
    const { shift, total } = shiftedSum(x, axis);
    const value = tf.add(tf.log(total), shift);
    return {
      value: keepDims ? value : tf.squeeze(value, [axis < 0 ? axis + x.rank : axis]),
      gradFunc: (dy: Tensor, saved: Tensor[]) =>
        tf.mul(keepDims ? dy : tf.expandDims(dy, axis), normalisedExp(saved[0]!, axis)),
    };
  });
  return operation(x);
}

/** Softmax along an axis that is 0, not NaN, on a slice of −∞. */
function normalisedExp(x: Tensor, axis: number): Tensor {
  const operation = tf.customGrad((...inputs) => {
    const [x, save] = inputs as unknown as [Tensor, tf.GradSaveFunc];
    save([x]);
    const { shifted, total } = shiftedSum(x, axis);
    return {
      value: tf.div(shifted, tf.maximum(total, 1e-30)), // total is 0 or at least 1
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const probabilities = normalisedExp(saved[0]!, axis);
        return tf.mul(probabilities, tf.sub(dy, tf.sum(tf.mul(probabilities, dy), axis, true)));
      },
    };
  });
  return operation(x);
}

function shiftedSum(x: Tensor, axis: number): { shift: Tensor; shifted: Tensor; total: Tensor } {
  const largest = tf.max(x, axis, true);
  const shift = tf.where(tf.isFinite(largest), largest, tf.zerosLike(largest));
  const shifted = tf.exp(tf.sub(x, shift));
  return { shift, shifted, total: tf.sum(shifted, axis, true) };
}
