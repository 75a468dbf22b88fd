import { offTape } from "../engine/offTape.js";
import { type Tensor, tf } from "../engine/tf.js";

/**
 * The value of x, through which no gradient flows: a constant to everything that differentiates.
 *
 * Given a function, it runs it off the tape, so that the function may use operations without a gradient
 * (`stopGradient(() => tf.less(x, 0))` is a mask that `tf.where` takes without breaking the tape).
 */
export function stopGradient<T extends Tensor>(x: T | (() => T)): T {
  return offTape(typeof x === "function" ? x : () => tf.clone(x));
}
