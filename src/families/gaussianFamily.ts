import { choleskyFactor, choleskyInverse, choleskySolve, logDeterminant } from "../diagnostics/choleskyFactor.js";
import { checkLength, type ExponentialFamily } from "./exponentialFamily.js";

/** Parameters of a multivariate Gaussian. */
export interface GaussianParameters {
  /** m, `[D]`. */
  readonly mean: Float64Array;
  /** Λ = Σ⁻¹, `[D · D]` row by row, symmetric positive definite. */
  readonly precision: Float64Array;
}

/**
 * Gaussian in D dimensions: t(x) = (x, x xᵀ), η = (Λ m, −½ Λ), h = 1, `A = ½ mᵀ Λ m − ½ log |Λ| + ½ D log 2π`, with mean parameters
 * `E[x] = m`, `E[x xᵀ] = Λ⁻¹ + m mᵀ`.
 *
 * @throws RangeError if D is not a positive integer; from its functions, if Λ is not positive definite or a length is wrong.
 */
export function gaussianFamily(dimension: number): ExponentialFamily<GaussianParameters, Float64Array> {
  checkDimension("gaussianFamily", dimension);
  const D = dimension;
  const read = (natural: Float64Array) => {
    checkLength("Gaussian: η", natural, D + D * D);
    const precision = natural.subarray(D).map((value) => -2 * value);
    const factor = choleskyFactor(precision, D, "Gaussian: the precision");
    return { precision, factor, mean: choleskySolve(factor, D, natural.subarray(0, D)) };
  };
  return {
    name: "Gaussian",
    size: D + D * D,
    natural: ({ mean, precision }) => {
      checkLength("Gaussian: the mean", mean, D);
      checkLength("Gaussian: the precision", precision, D * D);
      choleskyFactor(precision, D, "Gaussian: the precision");
      const natural = new Float64Array(D + D * D);
      natural.set(matrixTimes(precision, mean));
      natural.set(
        precision.map((value) => -value / 2),
        D,
      );
      return natural;
    },
    parameters: (natural) => {
      const { mean, precision } = read(natural);
      return { mean, precision };
    },
    logNormaliser: (natural) => {
      const { mean, factor } = read(natural);
      let quadratic = 0;
      for (let i = 0; i < D; i++) quadratic += natural[i] * mean[i];
      return (quadratic - logDeterminant(factor, D) + D * Math.log(2 * Math.PI)) / 2;
    },
    mean: (natural) => {
      const { mean, factor } = read(natural);
      const covariance = choleskyInverse(factor, D);
      const out = new Float64Array(D + D * D);
      out.set(mean);
      for (let i = 0; i < D; i++) {
        for (let j = 0; j < D; j++) out[D + i * D + j] = covariance[i * D + j] + mean[i] * mean[j];
      }
      return out;
    },
    statistics: (x) => {
      checkLength("Gaussian: the value", x, D);
      const out = new Float64Array(D + D * D);
      out.set(x);
      for (let i = 0; i < D; i++) {
        for (let j = 0; j < D; j++) out[D + i * D + j] = x[i] * x[j];
      }
      return out;
    },
    logBase: () => 0,
  };
}

/** `M v` for a square M, `[n · n]` row by row. */
export function matrixTimes(matrix: Float64Array, vector: Float64Array): Float64Array {
  const n = vector.length;
  return Float64Array.from({ length: n }, (_, i) => {
    let total = 0;
    for (let j = 0; j < n; j++) total += matrix[i * n + j] * vector[j];
    return total;
  });
}

/** @throws RangeError unless the dimension is a positive integer. */
export function checkDimension(name: string, dimension: number): void {
  if (!Number.isInteger(dimension) || dimension < 1)
    throw new RangeError(`${name}: the dimension must be a positive integer, not ${dimension}.`);
}
