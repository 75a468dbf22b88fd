import { type Tensor, tf } from "../engine/tf.js";
import { lowerTriangle } from "../ops/lowerTriangle.js";
import { matMul } from "../ops/matMul.js";
import { triangularSolve } from "../ops/triangularSolve.js";
import { fill } from "./check.js";

/** `L⁻¹ x` for vectors x `[..., batch, D]` and lower-triangular L `[batch, D, D]`, whose batch broadcasts into that of x. */
export function whiten(lower: Tensor, x: Tensor): Tensor {
  return tf.tidy(() => onColumns(lower, x, triangularSolve));
}

/** `L x` for vectors x `[..., batch, D]` and L `[batch, D, D]`, whose batch broadcasts into that of x; only the lower triangle is read. */
export function transformByScale(lower: Tensor, x: Tensor): Tensor {
  return tf.tidy(() => {
    const size = x.shape[x.rank - 1]!;
    if (lower.shape.slice(0, -2).some((n) => n !== 1)) return onColumns(lowerTriangle(lower), x, matMul);
    // One matrix for all vectors: the rows as they stand, times Lᵀ.
    const matrix = tf.reshape(lowerTriangle(lower), [size, size]);
    return tf.reshape(matMul(tf.reshape(x, [-1, size]), matrix, { transposeB: true }), x.shape);
  });
}

/** Gathers the vectors that share a matrix as the columns of one matrix, so that n of them cost one operation and no copy of L. */
function onColumns(lower: Tensor, x: Tensor, act: (lower: Tensor, columns: Tensor) => Tensor): Tensor {
  const size = x.shape[x.rank - 1]!;
  const batch = x.shape.slice(x.rank - 1 - (lower.rank - 2), -1);
  const matrices = batch.reduce((product, n) => product * n, 1);
  const same = lower.shape.slice(0, -2).every((n, i) => n === batch[i]);
  const full = same ? lower : fill(lower, [...batch, size, size]);
  const columns = tf.transpose(tf.reshape(x, [-1, matrices, size]), [1, 2, 0]);
  const result = act(tf.reshape(full, [matrices, size, size]), columns);
  return tf.reshape(tf.transpose(result, [2, 0, 1]), x.shape);
}
