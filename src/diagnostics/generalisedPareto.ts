import { logSumExp } from "./logSumExp.js";
import { sum } from "./moments.js";

/** A generalised Pareto distribution on x ≥ 0: shape k (heavier tail for larger k; finite mean for k < 1) and scale σ. */
export interface GeneralisedPareto {
  readonly shape: number;
  readonly scale: number;
}

/**
 * Fit a generalised Pareto distribution to exceedances over a threshold.
 *
 * Density `p(x) = (1/σ) (1 + k x / σ)^(−1/k − 1)`. The empirical-Bayes estimate is the posterior mean of b = −k/σ over a data-dependent grid,
 * then `k = mean log(1 − b x)`, `σ = −k / b`; with a weak prior the shape is drawn to ½: `k̂ = (n k + 10 · ½) / (n + 10)`.
 *
 * @param exceedances - `[n]`, ascending, positive, n ≥ 5.
 * @throws RangeError if there are fewer than five, or the first is not positive, or they are not ascending.
 * Source: Zhang & Stephens 2009, Technometrics 51(3), section 3 (there with −k for k); the prior on k is that of
 * Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25(72).
 */
export function fitGeneralisedPareto(exceedances: ArrayLike<number>): GeneralisedPareto {
  const n = exceedances.length;
  if (n < 5) throw new RangeError(`fitGeneralisedPareto needs at least five exceedances, but got ${n}.`);
  for (let i = 0; i < n; i++) {
    if (!(exceedances[i] > (i === 0 ? 0 : -Infinity)) || (i > 0 && exceedances[i] < exceedances[i - 1])) {
      throw new RangeError(
        `fitGeneralisedPareto needs positive, ascending exceedances; number ${i} is ${exceedances[i]}.`,
      );
    }
  }
  const largest = exceedances[n - 1];
  const lowerQuartile = exceedances[Math.floor(n / 4 + 0.5) - 1];
  const shapeAt = (b: number): number => sum(Float64Array.from(exceedances, (x) => Math.log1p(-b * x))) / n;
  // At b = 0 the distribution is exponential, and −k/b tends to its mean.
  const scaleAt = (b: number, k: number): number => (b === 0 ? sum(exceedances) / n : -k / b);

  const gridSize = 30 + Math.floor(Math.sqrt(n));
  const grid = Float64Array.from({ length: gridSize }, (_, j) => {
    return 1 / largest + (1 - Math.sqrt(gridSize / (j + 0.5))) / (3 * lowerQuartile);
  });
  const logLikelihood = grid.map((b) => {
    const k = shapeAt(b);
    return n * (-Math.log(scaleAt(b, k)) - k - 1);
  });
  const evidence = logSumExp(logLikelihood);
  const b = sum(grid.map((value, j) => value * Math.exp(logLikelihood[j] - evidence)));
  const k = shapeAt(b);
  return { shape: (n * k + 5) / (n + 10), scale: scaleAt(b, k) };
}

/**
 * Quantile of a generalised Pareto distribution, `x = σ ((1 − u)^(−k) − 1) / k`, and `−σ log(1 − u)` at k = 0.
 *
 * @param distribution - shape k and scale σ > 0.
 * @param u - probability in [0, 1).
 */
export function generalisedParetoQuantile(distribution: GeneralisedPareto, u: number): number {
  const { shape, scale } = distribution;
  const exponential = -Math.log1p(-u);
  return Math.abs(shape) < Number.EPSILON ? scale * exponential : (scale * Math.expm1(shape * exponential)) / shape;
}
