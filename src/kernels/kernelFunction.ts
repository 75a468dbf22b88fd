import { checkPositive, type RadialKernel } from "./radialKernel.js";

/** A positive-definite kernel k(x, y) of two points, in Float64. */
export type KernelFunction = (x: ArrayLike<number>, y: ArrayLike<number>) => number;

/**
 * A kernel of the distance as one of two points, `k(x, y) = κ(Σ_d (x_d − y_d)² / ℓ_d²)`.
 *
 * @param lengthScales - ℓ, one for each coordinate. Default: ones, since the kernel has a length of its own.
 * @throws RangeError if a length scale is not positive and finite.
 */
export function radialFunction(kernel: RadialKernel, lengthScales?: ArrayLike<number>): KernelFunction {
  const inverse = lengthScales && Float64Array.from(lengthScales, (length) => 1 / length);
  inverse?.forEach((value, d) => {
    checkPositive(`radialFunction: lengthScales[${d}]`, 1 / value);
  });
  return (x, y) => {
    let square = 0;
    for (let d = 0; d < x.length; d++) square += ((x[d] - y[d]) * (inverse ? inverse[d] : 1)) ** 2;
    return kernel.value(square);
  };
}

/**
 * The linear kernel, `k(x, y) = v xᵀy + b`: lines with slopes N(0, v) and an intercept N(0, b).
 *
 * @param options.variance - v. Default 1.
 * @param options.bias - b, at least 0. Default 0.
 * @throws RangeError if v is not positive or b negative, or one is not finite.
 */
export function linearFunction(options: { readonly variance?: number; readonly bias?: number } = {}): KernelFunction {
  const { variance = 1, bias = 0 } = options;
  checkPositive("linearFunction: variance", variance);
  if (!(bias >= 0 && bias < Infinity))
    throw new RangeError(`linearFunction: bias must be finite and at least 0, not ${bias}.`);
  return (x, y) => {
    let product = bias;
    for (let d = 0; d < x.length; d++) product += variance * x[d] * y[d];
    return product;
  };
}
