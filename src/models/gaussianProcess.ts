import { choleskyFactor, logDeterminant } from "../diagnostics/choleskyFactor.js";
import type { KernelFunction } from "../kernels/kernelFunction.js";

/** What a Gaussian process regression is told, in Float64. */
export interface GaussianProcessData {
  readonly kernel: KernelFunction;
  /** X, `[N · D]`, row by row. */
  readonly inputs: ArrayLike<number>;
  /** y, `[N]`. */
  readonly responses: ArrayLike<number>;
  /** σ², of the noise. */
  readonly noiseVariance: number;
}

/** Mean and variance of the latent function at points, `[n]` each; for those of an observation add σ² to the variance. */
export interface LatentMarginals {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** A Gaussian process regression, solved exactly. */
export interface GaussianProcess {
  /** log p(y | X) = log N(y; 0, K + σ² I). */
  readonly logEvidence: number;
  /** p(f(x) | y) at points `[n · D]`. */
  predict(points: ArrayLike<number>): LatentMarginals;
}

/**
 * Exact Gaussian process regression, `f ~ GP(0, k)`, `y_n ~ N(f(x_n), σ²)`, in Float64 and O(N³): the truth that sparse methods are measured against.
 *
 * With `L Lᵀ = K + σ² I` and `a = L⁻¹ y`, log p(y) = −½ |a|² − Σ log L_ii − ½ N log 2π; at x with `v = L⁻¹ k(X, x)`, the mean is vᵀa and the variance k(x, x) − |v|².
 *
 * @throws RangeError if X and y do not fit each other, are empty or not finite, σ² is not positive and finite, or K + σ² I is not positive definite.
 * Source: Rasmussen & Williams 2006, algorithm 2.1.
 */
export function gaussianProcess(data: GaussianProcessData): GaussianProcess {
  const { kernel, noiseVariance } = data;
  const x = rowsOfInputs("gaussianProcess", data);
  const n = x.length;
  const covariance = kernelMatrix(kernel, x, x);
  for (let i = 0; i < n; i++) covariance[i * n + i] += noiseVariance;
  const factor = choleskyFactor(covariance, n, "gaussianProcess: the covariance of the responses");
  const a = forwardSolve(factor, n, Float64Array.from(data.responses), 1);
  return {
    logEvidence: -(sumOfSquares(a) + logDeterminant(factor, n) + n * Math.log(2 * Math.PI)) / 2,
    predict: (points) => {
      const at = pointsOf("gaussianProcess", points, x[0].length);
      const v = forwardSolve(factor, n, kernelMatrix(kernel, x, at), at.length);
      return marginals(kernel, at, (j) => {
        let [mean, explained] = [0, 0];
        for (let i = 0; i < n; i++) {
          mean += v[i * at.length + j] * a[i];
          explained += v[i * at.length + j] ** 2;
        }
        return { mean, explained };
      });
    },
  };
}

/** `[n · m]`, k(x_i, y_j). @internal */
export function kernelMatrix(
  kernel: KernelFunction,
  x: readonly ArrayLike<number>[],
  y: readonly ArrayLike<number>[],
): Float64Array {
  const matrix = new Float64Array(x.length * y.length);
  for (let i = 0; i < x.length; i++) for (let j = 0; j < y.length; j++) matrix[i * y.length + j] = kernel(x[i], y[j]);
  return matrix;
}

/** L⁻¹ B for L `[n · n]` and B `[n · columns]`, in place. @internal */
export function forwardSolve(factor: Float64Array, n: number, right: Float64Array, columns: number): Float64Array {
  for (let i = 0; i < n; i++) {
    const row = right.subarray(i * columns, (i + 1) * columns);
    for (let k = 0; k < i; k++) {
      const [weight, above] = [factor[i * n + k], right.subarray(k * columns, (k + 1) * columns)];
      for (let j = 0; j < columns; j++) row[j] -= weight * above[j];
    }
    for (let j = 0; j < columns; j++) row[j] /= factor[i * n + i];
  }
  return right;
}

/** Mean and variance k(x, x) − explained at every point. @internal */
export function marginals(
  kernel: KernelFunction,
  points: readonly ArrayLike<number>[],
  at: (j: number) => { readonly mean: number; readonly explained: number },
): LatentMarginals {
  const [mean, variance] = [new Float64Array(points.length), new Float64Array(points.length)];
  for (let j = 0; j < points.length; j++) {
    const found = at(j);
    mean[j] = found.mean;
    variance[j] = Math.max(0, kernel(points[j], points[j]) - found.explained);
  }
  return { mean, variance };
}

/** Σ x². @internal */
export function sumOfSquares(values: Float64Array): number {
  return values.reduce((total, value) => total + value * value, 0);
}

/** The rows of X, checked with y and σ². @internal */
export function rowsOfInputs(name: string, data: GaussianProcessData): Float64Array[] {
  const { inputs, responses, noiseVariance } = data;
  const n = responses.length;
  if (n === 0 || inputs.length === 0 || inputs.length % n !== 0)
    throw new RangeError(
      `${name} needs one row of inputs for each response and at least one, not ${inputs.length} inputs for ${n} responses.`,
    );
  if (!(noiseVariance > 0 && noiseVariance < Infinity))
    throw new RangeError(`${name}: noiseVariance must be positive and finite, not ${noiseVariance}.`);
  const bad = Array.from(responses).findIndex((y) => !Number.isFinite(y));
  if (bad !== -1) throw new RangeError(`${name}: response ${bad} is ${responses[bad]}; remove or impute it.`);
  return pointsOf(name, inputs, inputs.length / n);
}

/** Points `[n · D]` as rows. @internal */
export function pointsOf(name: string, points: ArrayLike<number>, dimension: number): Float64Array[] {
  const all = Float64Array.from(points);
  if (all.length === 0 || all.length % dimension !== 0)
    throw new RangeError(
      `${name} needs at least one point of ${dimension} coordinates each, but got ${all.length} numbers.`,
    );
  const bad = all.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) throw new RangeError(`${name}: coordinate ${bad} of the points is ${all[bad]}; remove such rows.`);
  return Array.from({ length: all.length / dimension }, (_, i) => all.subarray(i * dimension, (i + 1) * dimension));
}
