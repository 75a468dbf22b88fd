import { type Tensor, tf } from "../engine/tf.js";

/**
 * Sums over what stands before (or, reversed, after) each entry of the last axis, without the entry itself. `tf.cumsum` takes no negative axis.
 *
 * @internal
 */
export function exclusiveSum(x: Tensor, { reverse = false }: { readonly reverse?: boolean } = {}): Tensor {
  return tf.cumsum(x, x.rank - 1, true, reverse);
}
