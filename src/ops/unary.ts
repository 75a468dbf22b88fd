import { type Tensor, tf } from "../engine/tf.js";

/**
 * An elementwise operation with its derivative, differentiable as often as the derivative itself is.
 *
 * tfjs saves the *output* of exp, sigmoid and tanh for their gradients, which cuts the tape for second derivatives; here the input is saved.
 *
 * @param value the operation; it runs off the tape, so it may use what has no gradient.
 * @param derivative its derivative as a function of the input.
 */
export function unary(value: (x: Tensor) => Tensor, derivative: (x: Tensor) => Tensor): (x: Tensor) => Tensor {
  return tf.customGrad((...inputs) => {
    const [x, save] = inputs as unknown as [Tensor, tf.GradSaveFunc];
    save([x]);
    return { value: value(x), gradFunc: (dy: Tensor, saved: Tensor[]) => tf.mul(dy, derivative(saved[0]!)) };
  });
}
