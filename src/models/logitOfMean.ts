import { checkShape } from "../engine/shape.js";
import { type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";

/**
 * The logit of each bit's mean over the data, with the mean clipped to [.001, .999]: where a decoder's output bias starts.
 *
 * @throws Error if the data are not `[N, P]` with N ≥ 1.
 * @internal
 */
export function logitOfMean(name: string, data: Tensor2D, observed: number): Tensor1D {
  checkShape(`${name}: data`, data, ["*", observed]);
  if (data.shape[0] === 0) throw new Error(`${name}: the data are empty; give them at least one row.`);
  return tf.tidy(() => {
    const frequency = tf.clipByValue(tf.mean(data, 0), 0.001, 0.999);
    return tf.log(tf.div(frequency, tf.sub(1, frequency))) as Tensor1D;
  });
}
