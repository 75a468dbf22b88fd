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
 * @throws Error if f returns anything but a scalar, if an operation on the way has no gradient, or if the record holds no tensor.
 */
export function valueAndGradient<P extends Parameters>(
  f: (parameters: P) => Scalar | Tensor,
  parameters: P,
): ValueAndGradient<P> {
  const at = leaves(parameters).map(({ tensor }) => tensor);
  if (at.length === 0) throw new Error("The function to differentiate has no parameters: the record holds no tensor.");
  try {
    const [value, ...gradients] = tf.tidy(() => {
      const result = tf.engine().gradients(() => scalarOf(f(parameters)), at, undefined, true);
      return [result.value, ...at.map((tensor, i) => (result.grads[i] as Tensor | null) ?? tf.zerosLike(tensor))];
    }) as [Scalar, ...Tensor[]];
    let next = 0;
    return { value, gradient: mapParameters(parameters, () => gradients[next++] as Tensor) };
  } catch (error) {
    discardTape();
    throw error;
  }
}

/** tfjs frees what its tape saved for the way back only where there is one; a function that throws would leave it for ever. */
function discardTape(): void {
  const { state } = tf.engine();
  if (state.gradientDepth > 0) return; // an outer derivative goes on with this tape, or ends here too
  for (const { saved } of state.activeTape ?? []) for (const tensor of saved ?? []) tensor.dispose();
  state.activeTape = [];
}

function scalarOf(value: Tensor): Scalar {
  if (!(value instanceof tf.Tensor)) throw new Error("The function to differentiate must return a tensor.");
  if (value.rank === 0) return value as Scalar;
  throw new Error(`The function to differentiate must return a scalar, not a tensor of shape [${value.shape}].`);
}
