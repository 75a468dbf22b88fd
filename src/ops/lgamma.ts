import { executeNative, isNative } from "../engine/native.js";
import { type Tensor, tf } from "../engine/tf.js";
import { digamma } from "./digamma.js";
import { logGamma } from "./gammaFunctions.js";
import { unary } from "./unary.js";

/** `log |Γ(x)|`, elementwise; differentiable any number of times for x > 0. Its derivative is {@link digamma}. */
export const lgamma: (x: Tensor) => Tensor = unary(
  (x) =>
    isNative()
      ? executeNative("Lgamma", { T: { type: "float32" } }, [x])
      : tf.tensor(Float32Array.from(x.dataSync(), logGamma), x.shape),
  digamma,
);
