import { type Tensor, tf } from "../engine/tf.js";
import { softplus } from "./softplus.js";

/**
 * `log(1 / (1 + e⁻ˣ)) = −softplus(−x)`, elementwise, exact to float32 in both tails; differentiable any number of times.
 */
export function logSigmoid(x: Tensor): Tensor {
  return tf.tidy(() => tf.neg(softplus(tf.neg(x))));
}
