import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { sumToShape } from "./sumToShape.js";

/**
 * `a` where the condition holds, `b` elsewhere; the shapes broadcast.
 *
 * The branch that was not taken gets the gradient 0 even where the incoming gradient is infinite. Compute a condition that depends on
 * differentiated tensors as `stopGradient(() => tf.less(x, 0))`: comparisons have no gradient. The gradient *inside* a branch is still
 * evaluated everywhere, so keep its argument in the domain: `where(c, tf.log(where(c, x, one)), zero)`.
 *
 * @throws Error if the shapes do not broadcast.
 */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  broadcastOf("where", { condition, a, b });
  const select = tf.customGrad((...inputs) => {
    const [a, b, save] = inputs as unknown as [Tensor, Tensor, tf.GradSaveFunc];
    save([condition, a, b]);
    return {
      value: tf.where(condition, a, b),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [condition, a, b] = saved as [Tensor, Tensor, Tensor];
        const zero = tf.zerosLike(dy);
        return [sumToShape(where(condition, dy, zero), a.shape), sumToShape(where(condition, zero, dy), b.shape)];
      },
    };
  });
  return select(a, b);
}
