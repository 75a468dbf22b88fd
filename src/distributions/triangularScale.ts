import { type Tensor, tf } from "../engine/tf.js";
import { lowerTriangle } from "../ops/lowerTriangle.js";
import { triangularSolve } from "../ops/triangularSolve.js";
import { fill } from "./check.js";

/** `L⁻¹ x` for vectors x `[..., batch, D]` and lower-triangular L `[batch, D, D]`, whose batch broadcasts into that of x. */
export function whiten(lower: Tensor, x: Tensor): Tensor {
  return tf.tidy(() => onColumns(lower, x, triangularSolve));
}

/** `L x` for vectors x `[..., batch, D]` and L `[batch, D, D]`, whose batch broadcasts into that of x; only the lower triangle is read. */
export function transformByScale(lower: Tensor, x: Tensor): Tensor {
  return tf.tidy(() => onColumns(lowerTriangle(lower), x, (l, columns) => tf.matMul(l, columns)));
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
