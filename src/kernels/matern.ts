import { checkPositive, type RadialKernel } from "./radialKernel.js";

/** ν, how smooth the functions of a Matérn kernel are: differentiable ⌈ν⌉ − 1 times in mean square. */
export type MaternSmoothness = 0.5 | 1.5 | 2.5;

/**
 * The Matérn kernel of half-integer smoothness, with r = |x − y|/ℓ: `e^{−r}` (ν = ½), `(1 + √3 r) e^{−√3 r}` (3/2), `(1 + √5 r + 5r²/3) e^{−√5 r}` (5/2).
 *
 * In s = |x − y|² its derivatives at s = 0 are infinite where the functions are too rough for them: κ′ for ν = ½, κ″ for ν ≤ 3/2. What takes derivatives of the kernel
 * (a Stein discrepancy) therefore wants ν = 5/2.
 *
 * @param options.smoothness ν.
 * @param options.lengthScale ℓ, in units of x. Default 1.
 * @throws RangeError if ν is not ½, 3/2 or 5/2, or ℓ is not positive and finite.
 * Source: Rasmussen & Williams 2006, "Gaussian processes for machine learning", section 4.2.1.
 */
export function matern(options: {
  readonly smoothness: MaternSmoothness;
  readonly lengthScale?: number;
}): RadialKernel {
  const { smoothness, lengthScale = 1 } = options;
  checkPositive("matern: lengthScale", lengthScale);
  const name = `Matérn ${2 * smoothness}/2`;
  const rate = Math.sqrt(2 * smoothness) / lengthScale;
  const scaled = (s: number): number => rate * Math.sqrt(s);
  switch (smoothness) {
    case 0.5:
      return {
        name,
        value: (s) => Math.exp(-scaled(s)),
        slope: (s) => (-rate * rate * Math.exp(-scaled(s))) / (2 * scaled(s)),
        curvature: (s) => (rate ** 4 * Math.exp(-scaled(s)) * (1 + scaled(s))) / (4 * scaled(s) ** 3),
      };
    case 1.5:
      return {
        name,
        value: (s) => (1 + scaled(s)) * Math.exp(-scaled(s)),
        slope: (s) => (-rate * rate * Math.exp(-scaled(s))) / 2,
        curvature: (s) => (rate ** 4 * Math.exp(-scaled(s))) / (4 * scaled(s)),
      };
    case 2.5:
      return {
        name,
        value: (s) => (1 + scaled(s) + scaled(s) ** 2 / 3) * Math.exp(-scaled(s)),
        slope: (s) => (-rate * rate * (1 + scaled(s)) * Math.exp(-scaled(s))) / 6,
        curvature: (s) => (rate ** 4 * Math.exp(-scaled(s))) / 12,
      };
    default:
      throw new RangeError(`matern: smoothness must be 0.5, 1.5 or 2.5, not ${smoothness}.`);
  }
}
