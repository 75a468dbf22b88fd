/**
 * A kernel of the distance alone, k(x, y) = κ(s) with s = |x − y|², positive definite in every dimension.
 *
 * What needs derivatives of k gets them from κ's: with d = x − y, `∇_x k = 2 κ′ d = −∇_y k` and `∇_x · ∇_y k = −2 D κ′ − 4 s κ″`. Pure functions of
 * numbers; unequal units of the coordinates are the caller's to divide out, x / ℓ.
 *
 * Source: Schoenberg 1938, "Metric spaces and completely monotone functions": κ is positive definite in every dimension where it is completely monotone.
 */
export interface RadialKernel {
  readonly name: string;
  /** κ(s), s ≥ 0. */
  value(squaredDistance: number): number;
  /** κ′(s). */
  slope(squaredDistance: number): number;
  /** κ″(s). */
  curvature(squaredDistance: number): number;
}

/** @internal */
export function checkPositive(name: string, value: number): void {
  if (!(value > 0 && value < Infinity)) throw new RangeError(`${name} must be positive and finite, not ${value}.`);
}
