import { logSumExp } from "./logSumExp.js";

/** A quadrature rule: `∫ f ≈ Σ_i exp(logWeights[i]) f(points[i])`. Weights are logs, since densities in many dimensions underflow. */
export interface Quadrature {
  /** `[n · dimension]`, row by row. */
  readonly points: Float64Array;
  /** `[n]`. */
  readonly logWeights: Float64Array;
  readonly dimension: number;
}

/**
 * Gauss–Hermite rule for an expectation under the standard normal, `E_{z ~ N(0, 1)}[f(z)] ≈ Σ_i w_i f(z_i)`, exact for polynomials up to degree 2n − 1.
 *
 * The nodes are the eigenvalues of the Jacobi matrix with off-diagonal √1, …, √(n−1), found by bisection on Sturm counts; the weights are
 * `1 / Σ_{k<n} h_k(z_i)²` with the orthonormal Hermite polynomials h_k.
 *
 * @param n - number of nodes, 1 to 300 (beyond, the polynomials overflow).
 * @throws RangeError if `n` is not an integer in that range.
 * Source: Golub & Welsch 1969, "Calculation of Gauss quadrature rules", Mathematics of Computation 23.
 */
export function gaussHermite(n: number): Quadrature {
  if (!Number.isInteger(n) || n < 1 || n > 300)
    throw new RangeError(`gaussHermite needs 1 to 300 nodes, but got ${n}.`);
  const points = new Float64Array(n);
  // The rule is symmetric about 0: find the negative half and mirror it.
  for (let i = 0; i < Math.floor(n / 2); i++) {
    points[i] = eigenvalue(n, i);
    points[n - 1 - i] = -points[i];
  }
  const logWeights = points.map((z) => {
    let previous = 0;
    let current = 1;
    let squares = 1;
    for (let k = 1; k < n; k++) {
      [previous, current] = [current, (z * current - Math.sqrt(k - 1) * previous) / Math.sqrt(k)];
      squares += current * current;
    }
    return -Math.log(squares);
  });
  return { points, logWeights, dimension: 1 };
}

/** Eigenvalue number `index` (ascending) of the n × n Jacobi matrix of the Hermite polynomials. */
function eigenvalue(n: number, index: number): number {
  let low = -2 * Math.sqrt(n);
  let high = 0;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) return middle;
    let below = 0;
    let pivot = 1;
    for (let k = 0; k < n; k++) {
      pivot = -middle - (k === 0 ? 0 : k / pivot);
      if (pivot === 0) pivot = Number.MIN_VALUE;
      if (pivot < 0) below++;
    }
    if (below > index) high = middle;
    else low = middle;
  }
}

/**
 * Gauss–Legendre rule on an interval, `∫_low^high f ≈ Σ_i w_i f(x_i)`, exact for polynomials up to degree 2n − 1.
 *
 * The nodes are the roots of the Legendre polynomial P_n, by Newton's method; the weights on [−1, 1] are `2 / ((1 − x²) P_n′(x)²)`.
 *
 * @param low - lower end.
 * @param high - upper end, above `low`.
 * @param n - number of nodes, 1 to 300.
 * @throws RangeError if the interval is empty or not finite, or `n` is not an integer in that range.
 * Source: Abramowitz & Stegun 1964, equations 25.4.29 and 25.4.30.
 */
export function gaussLegendre(low: number, high: number, n: number): Quadrature {
  if (!Number.isFinite(low) || !Number.isFinite(high) || !(low < high)) {
    throw new RangeError(`gaussLegendre needs a finite interval with low < high, but got [${low}, ${high}].`);
  }
  if (!Number.isInteger(n) || n < 1 || n > 300)
    throw new RangeError(`gaussLegendre needs 1 to 300 nodes, but got ${n}.`);
  const points = new Float64Array(n);
  const logWeights = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (n + 0.5)); // within Newton's reach of the root
    let slope = 1;
    for (let step = 0; step < 10; step++) {
      let [previous, current] = [1, x];
      for (let k = 2; k <= n; k++)
        [previous, current] = [current, ((2 * k - 1) * x * current - (k - 1) * previous) / k];
      slope = (n * (previous - x * current)) / (1 - x * x);
      x -= current / slope;
    }
    points[i] = low + ((high - low) * (1 + x)) / 2;
    logWeights[i] = Math.log((high - low) / ((1 - x * x) * slope * slope));
  }
  return { points, logWeights, dimension: 1 };
}

/**
 * Trapezoid rule on an interval, `∫_low^high f ≈ h (½ f_0 + f_1 + … + f_{n−2} + ½ f_{n−1})`, `h = (high − low)/(n − 1)`.
 *
 * For smooth functions that vanish at both ends, such as densities, it converges faster than any power of h.
 *
 * @param low - lower end.
 * @param high - upper end, above `low`.
 * @param n - number of points, ≥ 2, both ends included.
 * @throws RangeError if the interval is empty or not finite, or n < 2.
 */
export function trapezoid(low: number, high: number, n: number): Quadrature {
  if (!Number.isFinite(low) || !Number.isFinite(high) || !(low < high)) {
    throw new RangeError(`trapezoid needs a finite interval with low < high, but got [${low}, ${high}].`);
  }
  if (!Number.isInteger(n) || n < 2) throw new RangeError(`trapezoid needs at least 2 points, but got ${n}.`);
  const step = (high - low) / (n - 1);
  const points = Float64Array.from({ length: n }, (_, i) => (i === n - 1 ? high : low + i * step));
  const logWeights = points.map((_, i) => Math.log(i === 0 || i === n - 1 ? step / 2 : step));
  return { points, logWeights, dimension: 1 };
}

/**
 * Trapezoid rule on [−extent, extent] that is fine near 0 and coarse far out: z = scale · sinh(t) with t equally spaced.
 *
 * The spacing at z is that at 0 times √(1 + (z/scale)²). For a latent with a standard normal prior it resolves narrow posteriors, which lie near
 * 0, and still reaches the tails of a wide proposal. It converges as {@link trapezoid} does.
 *
 * @param extent - the end of the interval, positive.
 * @param scale - where the spacing begins to grow, positive.
 * @param n - number of points, ≥ 2; an odd number has one at 0.
 * @throws RangeError if extent or scale is not positive and finite, or n < 2.
 */
export function stretchedTrapezoid(extent: number, scale: number, n: number): Quadrature {
  if (!(extent > 0 && scale > 0 && Number.isFinite(extent / scale))) {
    throw new RangeError(
      `stretchedTrapezoid needs a positive, finite extent and scale, but got ${extent} and ${scale}.`,
    );
  }
  const end = Math.asinh(extent / scale);
  const rule = trapezoid(-end, end, n);
  return {
    points: rule.points.map((t) => scale * Math.sinh(t)),
    logWeights: rule.logWeights.map((weight, i) => weight + Math.log(scale * Math.cosh(rule.points[i]))),
    dimension: 1,
  };
}

/**
 * Product of quadrature rules: every combination of their points, the last rule varying fastest; weights multiply.
 *
 * @param rules - at least one.
 * @returns a rule of dimension `Σ dimension` with `∏ n` points.
 * @throws RangeError if there are no rules.
 */
export function productRule(...rules: readonly Quadrature[]): Quadrature {
  if (rules.length === 0) throw new RangeError("productRule needs at least one rule.");
  return rules.reduce((left, right) => {
    const [n, m] = [left.logWeights.length, right.logWeights.length];
    const dimension = left.dimension + right.dimension;
    const points = new Float64Array(n * m * dimension);
    const logWeights = new Float64Array(n * m);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < m; j++) {
        const row = i * m + j;
        points.set(left.points.subarray(i * left.dimension, (i + 1) * left.dimension), row * dimension);
        points.set(
          right.points.subarray(j * right.dimension, (j + 1) * right.dimension),
          row * dimension + left.dimension,
        );
        logWeights[row] = left.logWeights[i] + right.logWeights[j];
      }
    }
    return { points, logWeights, dimension };
  });
}

/**
 * Log of an integral whose integrand is known by its log, `log Σ_i exp(logWeights[i] + logValues[i])`.
 *
 * @param rule - a rule with n points.
 * @param logValues - `[n]`, log f at the rule's points; −∞ where f = 0.
 * @throws RangeError if the lengths differ or a value is NaN.
 */
export function logIntegral(rule: Quadrature, logValues: ArrayLike<number>): number {
  if (logValues.length !== rule.logWeights.length) {
    throw new RangeError(`logIntegral got ${logValues.length} values for a rule of ${rule.logWeights.length} points.`);
  }
  return logSumExp(rule.logWeights.map((weight, i) => weight + logValues[i]));
}
