import { type Tensor, tf } from "../engine/tf.js";
import { unary } from "./unary.js";

/** Hyperbolic tangent, elementwise; differentiable any number of times (`tf.tanh` is only once). */
export const tanh: (x: Tensor) => Tensor = unary(tf.tanh, (x) => tf.sub(1, tf.square(tanh(x))));
