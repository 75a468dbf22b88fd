import { type Tensor, tf } from "../engine/tf.js";
import { unary } from "./unary.js";

/** `1 / (1 + e⁻ˣ)`, elementwise; differentiable any number of times (`tf.sigmoid` is only once). */
export const sigmoid: (x: Tensor) => Tensor = unary(tf.sigmoid, (x) => tf.mul(sigmoid(x), sigmoid(tf.neg(x))));
