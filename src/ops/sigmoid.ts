import { type Tensor, tf } from "../engine/tf.js";
import { unary } from "./unary.js";

/** `1 / (1 + e⁻ˣ)`, elementwise; differentiable any number of times (`tf.sigmoid` is only once). Its derivative σ(x) σ(−x) is exact in both tails. */
export const sigmoid: (x: Tensor) => Tensor = unary(tf.sigmoid, (x, y) => tf.mul(y, sigmoid(tf.neg(x))));
