import { executeNative, isNative } from "../engine/native.js";
import { type Tensor, tf } from "../engine/tf.js";
import { unary } from "./unary.js";

/** `max(x, 0)`, elementwise, with the derivative 0 at 0; differentiable any number of times. */
export const relu: (x: Tensor) => Tensor = unary(tf.relu, (x) => tf.step(x), {
  available: isNative,
  apply: (dy, x) => executeNative("ReluGrad", { T: { type: "float32" } }, [dy, x]),
  curvature: tf.zerosLike,
});
