import { executeNative, isNative } from "../engine/native.js";
import { type Tensor, tf } from "../engine/tf.js";
import { unary } from "./unary.js";

/** Hyperbolic tangent, elementwise; differentiable any number of times (`tf.tanh` is only once). */
export const tanh: (x: Tensor) => Tensor = unary(tf.tanh, (_x, y) => tf.sub(1, tf.square(y)), {
  available: isNative,
  apply: (dy, _x, y) => executeNative("TanhGrad", { T: { type: "float32" } }, [y, dy]),
  curvature: (x) => {
    const y = tanh(x);
    return tf.mul(tf.mul(y, -2), tf.sub(1, tf.square(y)));
  },
});
