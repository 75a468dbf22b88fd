import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { sigmoid } from "./sigmoid.js";
import { sumToShape } from "./sumToShape.js";

/**
 * Log-probability of independent bits given their logits, fused into one differentiable operation:
 * `log Ber(x; l) = x l − log(1 + eˡ)`, summed over the last `eventRank` dimensions.
 *
 * Differentiable any number of times in l. x is data: no gradient flows to it. Values of x between 0 and 1 give the cross-entropy −H(x, l).
 *
 * @param x bits, `[...]`; broadcasts against the logits.
 * @param logits l, `[...]`.
 * @param eventRank how many trailing dimensions to sum, for instance 1 for pixels `[K, B, P]` → `[K, B]`.
 * @throws Error if the shapes do not broadcast.
 */
export function bernoulliLogDensity(x: Tensor, logits: Tensor, eventRank: number = 0): Tensor {
  const shape = broadcastOf("bernoulliLogDensity", { x, logits });
  const first = shape.length - eventRank;
  const axes = shape.slice(first).map((_, i) => first + i);
  const keptShape = shape.map((n, i) => (i < first ? n : 1));
  const fused = tf.customGrad((...inputs) => {
    const [logits, save] = inputs as unknown as [Tensor, tf.GradSaveFunc];
    save([x, logits]);
    const value = tf.sub(tf.mul(x, logits), tf.softplus(logits));
    return {
      value: axes.length ? tf.sum(value, axes) : value,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [x, logits] = saved as [Tensor, Tensor];
        const slope = tf.sub(x, sigmoid(logits));
        return sumToShape(tf.mul(tf.reshape(dy, keptShape), slope), logits.shape);
      },
    };
  });
  return fused(logits);
}
