import { type Tensor, type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { sigmoid } from "../ops/sigmoid.js";
import { softplus } from "../ops/softplus.js";
import { stopGradient } from "../ops/stopGradient.js";
import { type Bijection, elementwise } from "./bijection.js";

/** The ends of an {@link interval}. */
export interface IntervalOptions {
  readonly low: number;
  readonly high: number;
}

/**
 * Numbers between two ends: `y = low + (high − low) / (1 + e⁻ˣ)`.
 *
 * In float32, y reaches an end that is not 0 at |x| ≈ 17; its log-determinant stays right far beyond.
 *
 * @param shape - of one value; `[]`, a single number, by default.
 * @throws Error if the ends are not finite with low < high, or a size is not a positive integer.
 */
export function interval(ends: IntervalOptions, shape?: readonly []): Bijection<Tensor1D>;
export function interval(ends: IntervalOptions, shape: readonly [number]): Bijection<Tensor2D>;
export function interval(ends: IntervalOptions, shape: readonly [number, number]): Bijection<Tensor3D>;
export function interval(ends: IntervalOptions, shape: readonly number[]): Bijection<Tensor>;
export function interval({ low, high }: IntervalOptions, shape: readonly number[] = []): Bijection<Tensor> {
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) {
    throw new Error(`interval: the ends must be finite with low < high, not ${low} and ${high}.`);
  }
  const logWidth = Math.log(high - low);
  return elementwise({
    name: "interval",
    shape,
    forward: (x) => {
      // Each end enters with its own weight, so that an end at 0 is approached to the last digit.
      const y = tf.add(tf.mul(low, sigmoid(tf.neg(x))), tf.mul(high, sigmoid(x)));
      return tf.add(
        y,
        stopGradient(() => tf.sub(tf.clipByValue(y, low, high), y)),
      );
    },
    inverse: (y) => tf.sub(tf.log(tf.sub(y, low)), tf.log(tf.sub(high, y))),
    logSlope: (x) => tf.sub(logWidth, tf.add(softplus(x), softplus(tf.neg(x)))),
  });
}
