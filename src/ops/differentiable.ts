import { type Tensor, tf } from "../engine/tf.js";

/** Keeps tensors for the way back; called once, within the forward function. They are freed with the tape. */
export type Save = (tensors: Tensor[]) => void;

/** The gradient in every input, in order, each computed only if it is asked for. */
export type Pullback = (dy: Tensor, saved: Tensor[]) => readonly (() => Tensor)[];

/** The part of tfjs's engine under `tf.customGrad`. */
interface KernelRunner {
  runKernelFunc(kernel: {
    readonly forwardFunc: (backend: unknown, save: Save) => Tensor;
    readonly backwardsFunc: (dy: Tensor, saved: Tensor[]) => Record<string, () => Tensor>;
    readonly inputs: Record<string, Tensor>;
  }): Tensor;
}

/**
 * One differentiable operation with a gradient of its own.
 *
 * `tf.customGrad` with two differences: `forward` is handed nothing but `save`, and the gradients are lazy: what a step does not
 * differentiate (data, a fixed scale) costs nothing. What gradients share is computed before their functions are returned. They are on the tape, so
 * the operation can be differentiated as often as its gradients can.
 *
 * A saved *input* carries derivatives of the gradient; any other saved tensor is a constant to them.
 */
export function differentiable(inputs: readonly Tensor[], forward: (save: Save) => Tensor, pullback: Pullback): Tensor {
  const engine = tf.engine() as unknown as KernelRunner;
  return engine.runKernelFunc({
    forwardFunc: (_backend, save) => forward(save),
    backwardsFunc: (dy, saved) => Object.fromEntries(pullback(dy, saved).map((gradient, i) => [i, gradient])),
    inputs: Object.fromEntries(inputs.map((input, i) => [i, input])),
  });
}
