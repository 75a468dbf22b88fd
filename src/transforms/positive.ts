import { type Tensor, type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { logSigmoid } from "../ops/logSigmoid.js";
import { softplus } from "../ops/softplus.js";
import { type Bijection, elementwise } from "./bijection.js";

/** Options of {@link positive}. */
export interface PositiveOptions {
  /** The map from ℝ. Default `"exp"`. */
  readonly through?: "exp" | "softplus";
}

/**
 * Positive numbers: `y = eˣ`, or `y = log(1 + eˣ)` through `"softplus"`.
 *
 * With exp a change of y's unit is a shift of x, so what a Gaussian in x finds does not depend on the unit; its y is lognormal, heavy on the right. With softplus y is nearly x
 * where it is large: take it where the posterior of y is Gaussian far from 0. In float32, exp serves −87 < x < 88.
 *
 * @param shape - of one value; `[]`, a single number, by default.
 * @throws Error if a size is not a positive integer.
 * Source: Kucukelbir, Tran, Ranganath, Gelman & Blei 2017, "Automatic differentiation variational inference", JMLR 18, for the two maps and what they differ in.
 */
export function positive(shape?: readonly [], options?: PositiveOptions): Bijection<Tensor1D>;
export function positive(shape: readonly [number], options?: PositiveOptions): Bijection<Tensor2D>;
export function positive(shape: readonly [number, number], options?: PositiveOptions): Bijection<Tensor3D>;
export function positive(shape: readonly number[], options?: PositiveOptions): Bijection<Tensor>;
export function positive(shape: readonly number[] = [], { through = "exp" }: PositiveOptions = {}): Bijection<Tensor> {
  if (through === "exp") {
    return elementwise({ name: "positive", shape, forward: exp, inverse: tf.log, logSlope: (x) => tf.clone(x) });
  }
  return elementwise({
    name: "positive",
    shape,
    forward: softplus,
    // log(eʸ − 1) as y + log(1 − e⁻ʸ), which neither overflows nor loses the small ones.
    inverse: (y) => tf.add(y, tf.log(tf.neg(tf.expm1(tf.neg(y))))),
    logSlope: logSigmoid,
  });
}
