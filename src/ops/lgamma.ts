import { executeNative, isNative } from "../engine/native.js";
import { executePortable } from "../engine/portable.js";
import type { Tensor } from "../engine/tf.js";
import { digamma } from "./digamma.js";
import { logGamma } from "./gammaFunctions.js";
import { unary } from "./unary.js";

/**
 * `log |Γ(x)|`, elementwise; differentiable any number of times for x > 0. Its derivative is {@link digamma}.
 *
 * Within 2e-7 of the value, relatively, on [1e-6, 1e6] (absolutely around its zeros 1 and 2).
 */
export const lgamma: (x: Tensor) => Tensor = unary(
  (x) =>
    isNative()
      ? executeNative("Lgamma", { T: { type: "float32" } }, [x])
      : executePortable(([values]) => values!.map(logGamma), [x], x.shape),
  digamma,
);
