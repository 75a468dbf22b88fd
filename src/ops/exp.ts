import { type Tensor, tf } from "../engine/tf.js";
import { unary } from "./unary.js";

/** `eˣ`, elementwise; differentiable any number of times (`tf.exp` is only once). */
export const exp: (x: Tensor) => Tensor = unary(tf.exp, (_x, y) => y);
