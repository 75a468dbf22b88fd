import { executeNative, isNative } from "../engine/native.js";
import { type Tensor, tf } from "../engine/tf.js";
import { sigmoid } from "./sigmoid.js";
import { unary } from "./unary.js";

/**
 * `log(1 + eˣ)`, elementwise, exact to float32 in both tails (`eˣ` far left, `x` far right); differentiable any number of times.
 */
export const softplus: (x: Tensor) => Tensor = unary(tf.softplus, sigmoid, {
  available: isNative,
  apply: (dy, x) => executeNative("SoftplusGrad", { T: { type: "float32" } }, [dy, x]),
  curvature: (x) => tf.mul(sigmoid(x), sigmoid(tf.neg(x))),
});
