import { type Tensor, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";

/** Log-density of every row: positions `[..., D]` to `[...]`, up to a constant, differentiable in the position. */
export type LogDensity = (position: Tensor) => Tensor;

/** A log-density and its gradient at a position. */
export type Slope = {
  /** `[...]`. */
  readonly logDensity: Tensor;
  /** `[..., D]`. */
  readonly gradient: Tensor;
};

/**
 * Runs `compute` on a gradient tape of its own, as if nothing around it were being differentiated.
 *
 * It may take gradients, however deep inside another derivative it runs, and what it returns is a constant to that derivative. The outer tape
 * records and keeps nothing of it, so hundreds of inner gradients cost no memory there. All but the result is disposed.
 */
export function onOwnTape<T extends object>(compute: () => T): T {
  const { state } = tf.engine();
  const outer = { activeTape: state.activeTape, gradientDepth: state.gradientDepth, kernelDepth: state.kernelDepth };
  // kernelDepth is positive inside a custom gradient, which would keep the own tape from recording.
  Object.assign(state, { activeTape: [], gradientDepth: 0, kernelDepth: 0 });
  try {
    return tidied(compute);
  } catch (error) {
    // A derivative that threw leaves what its tape saved for the way back.
    for (const { saved } of state.activeTape ?? []) for (const tensor of saved ?? []) tensor.dispose();
    throw error;
  } finally {
    Object.assign(state, outer);
  }
}

/**
 * A log-density with its gradient, row by row; where it does not depend on the position, the gradient is 0.
 *
 * Call it within {@link onOwnTape}.
 *
 * @throws Error if the log-density does not map `[..., D]` to `[...]`.
 */
export function slopeAt(logDensity: LogDensity, position: Tensor): Slope {
  // The rows are independent, so the gradient of their sum holds each row's own; leaving out the sum itself saves an operation.
  const { value, grads } = tf.engine().gradients(() => logDensity(position), [position], undefined, true);
  const needed = position.shape.slice(0, -1);
  if (value.shape.length !== needed.length || value.shape.some((size, axis) => size !== needed[axis])) {
    throw new Error(
      `logDensity must map positions of shape [${position.shape}] to log-densities of shape [${needed}], but returned [${value.shape}]; sum over the last axis alone.`,
    );
  }
  return { logDensity: value, gradient: (grads[0] as Tensor | null) ?? tf.zerosLike(position) };
}
