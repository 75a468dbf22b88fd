import { formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";

/**
 * Checks that a parameter given as a number is positive; a tensor is not read (it would stall the device), only its dtype is looked at.
 *
 * @throws Error naming the parameter otherwise.
 */
export function checkPositive(name: string, value: Tensor | number): void {
  if (typeof value === "number" && !(value > 0 && value < Number.POSITIVE_INFINITY)) {
    throw new Error(`${name} must be positive and finite, not ${value}.`);
  }
  checkReal(name, value);
}

/**
 * Checks that a parameter is a float32 tensor or a number other than NaN.
 *
 * @throws Error naming the parameter otherwise.
 */
export function checkReal(name: string, value: Tensor | number): void {
  if (typeof value === "number" ? Number.isNaN(value) : !(value instanceof tf.Tensor) || value.dtype !== "float32") {
    const given = value instanceof tf.Tensor ? `a tensor of ${value.dtype}` : `${value}`;
    throw new Error(`${name} must be a float32 tensor or a number, not ${given}.`);
  }
}

/**
 * Checks that x, given to `logProb`, ends in the event shape.
 *
 * @throws Error naming the shapes otherwise.
 */
export function checkEvent(owner: string, x: Tensor, eventShape: readonly number[]): void {
  const tail = x.shape.slice(Math.max(0, x.rank - eventShape.length));
  if (x.rank >= eventShape.length && eventShape.every((size, i) => size === tail[i])) return;
  throw new Error(
    `${owner}.logProb: x has the shape ${formatShape(x.shape)}, but must end in the event shape ${formatShape(eventShape)}.`,
  );
}

/** A parameter as a tensor of the given shape. `tf.broadcastTo` would do it too, but its gradient stops at rank 4 and loops over slices. */
export function fill(value: Tensor | number, shape: readonly number[]): Tensor {
  return typeof value === "number" ? tf.fill([...shape], value) : tf.tidy(() => tf.add(value, tf.zeros([...shape])));
}
