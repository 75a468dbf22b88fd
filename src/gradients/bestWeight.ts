import { type Tensor, tf } from "../engine/tf.js";

/**
 * a = Cov(f, h)/Var(h) over the first axis, the draws: the weight of a control variate h that leaves f − a h the least variance; 0 where h does not vary.
 *
 * @internal
 */
export function bestWeight(f: Tensor, h: Tensor): Tensor {
  const centred = (x: Tensor): Tensor => tf.sub(x, tf.mean(x, 0, true));
  const off = centred(h);
  // Equal numbers may round to a mean that is none of them, and then a ratio of roundings would be left.
  const varies = tf.cast(tf.greater(tf.max(h, 0), tf.min(h, 0)), "float32");
  return tf.divNoNan(tf.sum(tf.mul(centred(f), off), 0), tf.mul(varies, tf.sum(tf.square(off), 0)));
}
