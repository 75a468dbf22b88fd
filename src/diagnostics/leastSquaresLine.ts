import { type Estimate, mean } from "./moments.js";

/** A line through points. */
export interface LeastSquaresLine {
  /** b, with the standard error that the residuals give it; n is the number of points. */
  readonly slope: Estimate;
  /** a. */
  readonly intercept: number;
}

/**
 * The line y = a + b x through points by least squares: `b = Σ (x − x̄)(y − ȳ) / Σ (x − x̄)²`, `s.e.² = Σ r² / ((n − 2) Σ (x − x̄)²)`.
 *
 * The standard error takes residuals as independent and equally wide; where the points lie on a curve it measures how well a line fits, no more. Through logarithms b is an order of growth.
 *
 * @param x - `[n]`, n ≥ 3, not all equal.
 * @param y - `[n]`.
 * @throws RangeError if the lengths differ, there are fewer than three points, a number is not finite, or all x are equal.
 */
export function leastSquaresLine(x: ArrayLike<number>, y: ArrayLike<number>): LeastSquaresLine {
  const n = x.length;
  if (n < 3 || y.length !== n)
    throw new RangeError(`leastSquaresLine needs a y for each x and at least three, not ${n} and ${y.length}.`);
  const [centre, level] = [mean(x), mean(y)];
  let [spread, product] = [0, 0];
  for (let i = 0; i < n; i++) {
    spread += (x[i] - centre) ** 2;
    product += (x[i] - centre) * (y[i] - level);
  }
  if (!(spread > 0 && Number.isFinite(product)))
    throw new RangeError("leastSquaresLine: the numbers must be finite, and not all x equal.");
  const slope = product / spread;
  let residual = 0;
  for (let i = 0; i < n; i++) residual += (y[i] - level - slope * (x[i] - centre)) ** 2;
  return {
    slope: { value: slope, standardError: Math.sqrt(residual / ((n - 2) * spread)), n },
    intercept: level - slope * centre,
  };
}
