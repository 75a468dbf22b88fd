import type { NumberTable } from "../data/csv.js";
import { choleskyFactor, choleskyInverse, choleskySolve, logDeterminant } from "../diagnostics/choleskyFactor.js";
import { signedRows } from "../models/signedRows.js";
import { denseGaussian, type LocalGaussian } from "./localGaussian.js";

/** Options of {@link jaakkolaJordan}. */
export interface JaakkolaJordanOptions {
  /** Rows (y, x), y 0 or 1; for an intercept x begins with a 1. */
  readonly rows: NumberTable;
  /** σ of the coefficients' prior N(0, σ² I). */
  readonly priorScale: number;
  /** Stops when an update raises the bound by less than this share of its size. Default 1e-12. */
  readonly tolerance?: number;
  /** Updates at most. Default 1000. */
  readonly maxSteps?: number;
}

/** What {@link jaakkolaJordan} finds. */
export interface JaakkolaJordanFit extends LocalGaussian {
  /** A lower bound on log p(y | x), in Float64. */
  readonly bound: number;
  /** ξ, `[N]`, where each logistic's parabola touches it. */
  readonly xi: Float64Array;
  /** The bound after every update; it never falls. */
  readonly trace: readonly number[];
  readonly steps: number;
  readonly converged: boolean;
}

/**
 * Bayesian logistic regression by a quadratic bound: `log σ(u) ≥ log σ(ξ) + (u − ξ)/2 − λ(ξ) (u² − ξ²)`, `λ(ξ) = tanh(ξ/2) / 4ξ`, makes every likelihood a Gaussian in the coefficients.
 *
 * In turn `Σ⁻¹ = I/σ² + 2 Σ_n λ(ξ_n) x_n x_nᵀ`, `μ = Σ Σ_n (y_n − ½) x_n`, and `ξ_n² = x_nᵀ (Σ + μ μᵀ) x_n`, an EM step that never lowers
 *
 * `½ log |Σ| − D log σ + ½ μᵀ Σ⁻¹ μ + Σ_n [log σ(ξ_n) − ½ ξ_n + λ(ξ_n) ξ_n²] ≤ ELBO(N(μ, Σ)) ≤ log p(y | x)`.
 *
 * A true bound and no Monte Carlo, at the price of the parabola: Σ comes out too small.
 *
 * @throws RangeError if there are no rows or no inputs, a label is not 0 or 1, a number is not finite, or an option is out of range.
 * Source: Jaakkola & Jordan 2000, "Bayesian parameter estimation via variational methods", Statistics and Computing 10; Bishop 2006, section 10.6.
 */
export function jaakkolaJordan(options: JaakkolaJordanOptions): JaakkolaJordanFit {
  const { rows, priorScale, tolerance = 1e-12, maxSteps = 1000 } = options;
  const { x, signed, n, D } = signedRows("jaakkolaJordan", rows);
  if (!(priorScale > 0 && priorScale < Infinity))
    throw new RangeError(`jaakkolaJordan: priorScale must be positive and finite, not ${priorScale}.`);
  if (!(tolerance >= 0)) throw new RangeError(`jaakkolaJordan: the tolerance must be ≥ 0, not ${tolerance}.`);
  if (!Number.isInteger(maxSteps) || maxSteps < 1)
    throw new RangeError(`jaakkolaJordan: maxSteps must be a positive integer, not ${maxSteps}.`);
  const linear = new Float64Array(D); // Σ_n (y_n − ½) x_n
  for (let i = 0; i < n; i++) for (let d = 0; d < D; d++) linear[d] += (signed[i] / 2) * x[i * D + d];
  let xi: Float64Array = new Float64Array(n).fill(1);
  const trace: number[] = [];
  for (let step = 1; ; step++) {
    const precision = precisionOf(x, xi, D, priorScale);
    const factor = choleskyFactor(precision, D, "jaakkolaJordan: the precision");
    const mean = choleskySolve(factor, D, linear);
    const bound = boundOf({ factor, mean, linear, xi, priorScale });
    trace.push(bound);
    const gain = step === 1 ? Infinity : bound - trace[step - 2];
    const converged = gain <= tolerance * Math.abs(bound);
    if (converged || step === maxSteps) {
      return {
        ...denseGaussian(mean, precision, "jaakkolaJordan: the precision"),
        bound,
        xi,
        trace,
        steps: step,
        converged,
      };
    }
    xi = nextXi(x, choleskyInverse(factor, D), mean);
  }
}

/** λ(ξ), with its limit ⅛ at 0. */
function lambda(xi: number): number {
  return xi < 1e-4 ? 1 / 8 - xi ** 2 / 96 : Math.tanh(xi / 2) / (4 * xi);
}

function precisionOf(x: Float64Array, xi: Float64Array, D: number, priorScale: number): Float64Array {
  const precision = new Float64Array(D * D);
  for (let d = 0; d < D; d++) precision[d * D + d] = priorScale ** -2;
  xi.forEach((value, i) => {
    const weight = 2 * lambda(value);
    for (let d = 0; d < D; d++) {
      const left = weight * x[i * D + d];
      for (let e = 0; e < D; e++) precision[d * D + e] += left * x[i * D + e];
    }
  });
  return precision;
}

function boundOf(parts: {
  readonly factor: Float64Array;
  readonly mean: Float64Array;
  readonly linear: Float64Array;
  readonly xi: Float64Array;
  readonly priorScale: number;
}): number {
  const { factor, mean, linear, xi, priorScale } = parts;
  const D = mean.length;
  // μᵀ Σ⁻¹ μ = μᵀ Σ_n (y_n − ½) x_n
  const quadratic = mean.reduce((sum, m, d) => sum + m * linear[d], 0);
  const touching = xi.reduce((sum, value) => {
    const logSigmoid = -Math.log1p(Math.exp(-value));
    return sum + logSigmoid - value / 2 + lambda(value) * value ** 2;
  }, 0);
  return -logDeterminant(factor, D) / 2 - D * Math.log(priorScale) + quadratic / 2 + touching;
}

/** ξ_n = √(x_nᵀ (Σ + μ μᵀ) x_n). */
function nextXi(x: Float64Array, covariance: Float64Array, mean: Float64Array): Float64Array {
  const D = mean.length;
  return Float64Array.from({ length: x.length / D }, (_, i) => {
    let [along, spread] = [0, 0];
    for (let d = 0; d < D; d++) {
      const value = x[i * D + d];
      along += value * mean[d];
      for (let e = 0; e < D; e++) spread += value * covariance[d * D + e] * x[i * D + e];
    }
    return Math.sqrt(spread + along ** 2);
  });
}
