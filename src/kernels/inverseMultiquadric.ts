import { checkPositive, type RadialKernel } from "./radialKernel.js";

/**
 * The inverse multiquadric kernel k(x, y) = (c² + |x − y|²)^β, β < 0.
 *
 * Its tails are heavy. In a kernel Stein discrepancy with −1 < β < 0 it therefore tells apart everything that weak convergence does, for targets whose log-density is
 * concave far out, where light-tailed kernels fail from three dimensions on: points may run off to infinity and their discrepancy fall to 0.
 *
 * @param options.offset c, in units of x. Default 1.
 * @param options.exponent β. Default −½.
 * @throws RangeError if c is not positive and finite, or β not negative and finite.
 * Source: Gorham & Mackey 2017, "Measuring sample quality with kernels", sections 3.2 and 3.3.
 */
export function inverseMultiquadric(
  options: { readonly offset?: number; readonly exponent?: number } = {},
): RadialKernel {
  const { offset = 1, exponent = -0.5 } = options;
  checkPositive("inverseMultiquadric: offset", offset);
  if (!(exponent < 0 && exponent > -Infinity))
    throw new RangeError(`inverseMultiquadric: exponent must be negative and finite, not ${exponent}.`);
  const square = offset * offset;
  // The usual exponent needs no power: a square root is several times faster.
  const power: (base: number) => number =
    exponent === -0.5 ? (base) => 1 / Math.sqrt(base) : (base) => base ** exponent;
  return {
    name: "inverse multiquadric",
    value: (s) => power(square + s),
    slope: (s) => (exponent * power(square + s)) / (square + s),
    curvature: (s) => (exponent * (exponent - 1) * power(square + s)) / ((square + s) * (square + s)),
  };
}
