import { leaves, mapParameters, type Parameters } from "./parameters.js";
import { type Scalar, type Tensor, tf } from "./tf.js";

/** A scalar and its gradient, a record of the same type as the parameters. */
export interface ValueAndGradient<P extends Parameters> {
  readonly value: Scalar;
  readonly gradient: P;
}

/**
 * Value and gradient of a scalar function of a parameter record: `{ f(θ), ∇f(θ) }`.
 *
 * A parameter on which f does not depend gets the gradient zero. Nothing but the value and the gradient's tensors is left behind;
 * nested calls differentiate twice.
 *
 * @param f function of the parameters that returns a scalar; it is called once.
 * @param parameters the point θ.
 * @throws Error if f returns anything but a scalar, or if an operation on the way has no gradient.
 */
export function valueAndGradient<P extends Parameters>(
  f: (parameters: P) => Scalar | Tensor,
  parameters: P,
): ValueAndGradient<P> {
  const at = leaves(parameters).map(({ tensor }) => tensor);
  const [value, ...gradients] = tf.tidy(() => {
    const result = tf.engine().gradients(() => scalarOf(f(parameters)), at, undefined, true);
    return [result.value, ...at.map((tensor, i) => (result.grads[i] as Tensor | null) ?? tf.zerosLike(tensor))];
  }) as [Scalar, ...Tensor[]];
  let next = 0;
  return { value, gradient: mapParameters(parameters, () => gradients[next++] as Tensor) };
}

function scalarOf(value: Tensor): Scalar {
  if (!(value instanceof tf.Tensor)) throw new Error("The function to differentiate must return a tensor.");
  if (value.rank === 0) return value as Scalar;
  throw new Error(`The function to differentiate must return a scalar, not a tensor of shape [${value.shape}].`);
}
