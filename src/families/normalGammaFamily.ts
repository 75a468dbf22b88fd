import { choleskyFactor, choleskyInverse, choleskySolve, logDeterminant } from "../diagnostics/choleskyFactor.js";
import { digamma, logGamma } from "../diagnostics/specialFunctions.js";
import { checkLength, checkPositive, type ExponentialFamily } from "./exponentialFamily.js";
import { checkDimension, matrixTimes } from "./gaussianFamily.js";

/** Parameters of a Normal–Gamma distribution: `w | τ ~ N(m, (τ P)⁻¹)`, `τ ~ Gamma(shape, rate)`. */
export interface NormalGammaParameters {
  /** m, `[D]`. */
  readonly mean: Float64Array;
  /** P, `[D · D]` row by row, symmetric positive definite. */
  readonly precision: Float64Array;
  readonly shape: number;
  readonly rate: number;
}

/** Coefficients and the precision of the noise about them. */
export interface WeightsAndPrecision {
  /** w, `[D]`. */
  readonly weights: Float64Array;
  /** τ, positive. */
  readonly noisePrecision: number;
}

/**
 * Normal–Gamma over D coefficients and a noise precision, the conjugate prior of linear regression:
 * t(w, τ) = (τ w, τ w wᵀ, τ, log τ), η = (P m, −½ P, −rate − ½ mᵀ P m, shape + ½ D), h(w, τ) = 1/τ.
 *
 * A response y at x adds (x y, −½ x xᵀ, −½ y², ½).
 *
 * @throws RangeError if D is not a positive integer; from its functions, if shape or rate is not positive or P is not positive definite.
 * Source: Bernardo & Smith 1994, "Bayesian theory", appendix A.
 */
export function normalGammaFamily(dimension: number): ExponentialFamily<NormalGammaParameters, WeightsAndPrecision> {
  checkDimension("normalGammaFamily", dimension);
  const D = dimension;
  const size = D + D * D + 2;
  const read = (natural: Float64Array) => {
    checkLength("Normal–Gamma: η", natural, size);
    const precision = natural.slice(D, D + D * D).map((value) => -2 * value);
    const factor = choleskyFactor(precision, D, "Normal–Gamma: the precision");
    const mean = choleskySolve(factor, D, natural.subarray(0, D));
    let quadratic = 0;
    for (let i = 0; i < D; i++) quadratic += natural[i] * mean[i];
    const rate = -natural[size - 2] - quadratic / 2;
    const shape = natural[size - 1] - D / 2;
    checkPositive("Normal–Gamma: the shape", [shape]);
    checkPositive("Normal–Gamma: the rate", [rate]);
    return { mean, precision, shape, rate, factor };
  };
  return {
    name: "Normal–Gamma",
    size,
    natural: ({ mean, precision, shape, rate }) => {
      checkLength("Normal–Gamma: the mean", mean, D);
      checkLength("Normal–Gamma: the precision", precision, D * D);
      checkPositive("Normal–Gamma: the shape", [shape]);
      checkPositive("Normal–Gamma: the rate", [rate]);
      choleskyFactor(precision, D, "Normal–Gamma: the precision");
      const first = matrixTimes(precision, mean);
      const natural = new Float64Array(size);
      natural.set(first);
      natural.set(
        precision.map((value) => -value / 2),
        D,
      );
      natural[size - 2] = -rate - first.reduce((total, value, i) => total + value * mean[i], 0) / 2;
      natural[size - 1] = shape + D / 2;
      return natural;
    },
    parameters: (natural) => {
      const { mean, precision, shape, rate } = read(natural);
      return { mean, precision, shape, rate };
    },
    logNormaliser: (natural) => {
      const { shape, rate, factor } = read(natural);
      return logGamma(shape) - shape * Math.log(rate) + (D * Math.log(2 * Math.PI) - logDeterminant(factor, D)) / 2;
    },
    mean: (natural) => {
      const { mean, shape, rate, factor } = read(natural);
      const covariance = choleskyInverse(factor, D);
      const tau = shape / rate;
      const out = new Float64Array(size);
      for (let i = 0; i < D; i++) {
        out[i] = tau * mean[i];
        for (let j = 0; j < D; j++) out[D + i * D + j] = covariance[i * D + j] + tau * mean[i] * mean[j];
      }
      out[size - 2] = tau;
      out[size - 1] = digamma(shape) - Math.log(rate);
      return out;
    },
    statistics: ({ weights, noisePrecision }) => {
      checkLength("Normal–Gamma: the coefficients w", weights, D);
      const out = new Float64Array(size);
      for (let i = 0; i < D; i++) {
        out[i] = noisePrecision * weights[i];
        for (let j = 0; j < D; j++) out[D + i * D + j] = noisePrecision * weights[i] * weights[j];
      }
      out[size - 2] = noisePrecision;
      out[size - 1] = Math.log(noisePrecision);
      return out;
    },
    logBase: ({ noisePrecision }) => -Math.log(noisePrecision),
  };
}
