import { executeNative, isNative } from "../engine/native.js";
import { type Tensor, tf } from "../engine/tf.js";
import { polyGamma } from "./gammaFunctions.js";
import { unary } from "./unary.js";

/** `ψ(x) = d/dx log Γ(x)`, elementwise; differentiable any number of times for x > 0. Its derivative is `polygamma(1, x)`. */
export const digamma: (x: Tensor) => Tensor = unary(
  (x) =>
    isNative()
      ? executeNative("Digamma", { T: { type: "float32" } }, [x])
      : tf.tensor(
          Float32Array.from(x.dataSync(), (value) => polyGamma(0, value)),
          x.shape,
        ),
  (x) => polygamma(1, x),
);

/**
 * `ψ⁽ⁿ⁾(x)`, the n-th derivative of {@link digamma}, elementwise for x > 0; differentiable any number of times.
 *
 * @param order n ≥ 1.
 * @throws Error if the order is not a positive integer.
 */
export function polygamma(order: number, x: Tensor): Tensor {
  if (!Number.isInteger(order) || order < 1)
    throw new Error(`polygamma: the order must be a positive integer, not ${order}.`);
  const operation = unary(
    (x) =>
      tf.tensor(
        Float32Array.from(x.dataSync(), (value) => polyGamma(order, value)),
        x.shape,
      ),
    (x) => polygamma(order + 1, x),
  );
  return operation(x);
}
