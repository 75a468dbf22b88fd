import { type Tensor, tf } from "../engine/tf.js";

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
 * A log-density with its gradient, row by row; where it does not depend on the position, the gradient is 0.
 *
 * Call it within `onOwnTape`.
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
