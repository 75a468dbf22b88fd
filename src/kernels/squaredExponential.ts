import { checkPositive, type RadialKernel } from "./radialKernel.js";

/**
 * The squared-exponential kernel, also called Gaussian or RBF: k(x, y) = exp(−|x − y|² / (2 ℓ²)).
 *
 * Characteristic on every R^D: two laws with the same mean embedding are the same law.
 *
 * @param options.lengthScale ℓ, in units of x; `medianDistance` of the points is customary. Default 1.
 * @throws RangeError if ℓ is not positive and finite.
 */
export function squaredExponential(options: { readonly lengthScale?: number } = {}): RadialKernel {
  const { lengthScale = 1 } = options;
  checkPositive("squaredExponential: lengthScale", lengthScale);
  const rate = 1 / (2 * lengthScale * lengthScale);
  return {
    name: "squared exponential",
    value: (s) => Math.exp(-rate * s),
    slope: (s) => -rate * Math.exp(-rate * s),
    curvature: (s) => rate * rate * Math.exp(-rate * s),
  };
}
