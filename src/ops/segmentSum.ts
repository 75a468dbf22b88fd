import { isNative } from "../engine/native.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { matMul } from "./matMul.js";

/**
 * Sums of the rows of x that share a segment: `y_s = Σ_{i: ids_i = s} x_i`, along the first axis.
 *
 * @param x `[n, ...]`.
 * @param ids the segment of each row, 0 to `segments` − 1, `[n]`, int32. They are not read.
 * @returns `[segments, ...]`; a segment without rows is 0.
 * @throws Error if there are not as many ids as rows.
 */
export function segmentSum(x: Tensor, ids: Tensor1D, segments: number): Tensor {
  if (ids.rank !== 1 || ids.shape[0] !== x.shape[0])
    throw new Error(`segmentSum: x has ${x.shape[0]} rows, but there are ${ids.size} ids; give one a row.`);
  if (isNative()) return tf.unsortedSegmentSum(x, ids, segments);
  // wasm has no kernel for it.
  return tf.tidy(() => {
    const all = tf.range(0, segments, 1, "int32");
    const member = tf.cast(tf.equal(tf.expandDims(ids, 1), all), "float32") as Tensor2D; // [n, S]; oneHot takes no S = 1
    const rows = tf.reshape(x, [x.shape[0], -1]);
    return tf.reshape(matMul(tf.transpose(member), rows), [segments, ...x.shape.slice(1)]);
  });
}
