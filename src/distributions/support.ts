import { type Tensor, tf } from "../engine/tf.js";
import { stopGradient } from "../ops/stopGradient.js";
import { where } from "../ops/where.js";

/** The smallest normal float32: a positive draw that rounds to 0 becomes this, so that its logarithm is finite. */
export const smallestPositive: number = 2 ** -126;

/** The largest float32 below 1. */
export const largestBelowOne: number = 1 - 2 ** -24;

/**
 * `logDensity` of x where x is in a law's support, and −∞ elsewhere.
 *
 * @param inside runs off the tape.
 * @param within a number inside the support, which stands in for x outside it, so that no NaN arises there.
 */
export function onSupport(
  x: Tensor,
  inside: (x: Tensor) => Tensor,
  within: number,
  logDensity: (x: Tensor) => Tensor,
): Tensor {
  return tf.tidy(() => {
    const supported = stopGradient(() => inside(x));
    const value = logDensity(where(supported, x, tf.scalar(within)));
    return where(supported, value, tf.scalar(Number.NEGATIVE_INFINITY));
  });
}

/** Whether x is a count: 0, 1, 2, … */
export function isCount(x: Tensor): Tensor {
  return tf.logicalAnd(tf.greaterEqual(x, 0), tf.equal(x, tf.floor(x)));
}
