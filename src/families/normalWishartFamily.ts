import { choleskyFactor, choleskyInverse, logDeterminant } from "../diagnostics/choleskyFactor.js";
import { digamma, logGamma } from "../diagnostics/specialFunctions.js";
import { checkLength, checkPositive, type ExponentialFamily } from "./exponentialFamily.js";
import { checkDimension, matrixTimes } from "./gaussianFamily.js";

/** Parameters of a Normal–Wishart distribution: `μ | Λ ~ N(m, (β Λ)⁻¹)`, `Λ ~ Wishart(W, ν)`. */
export interface NormalWishartParameters {
  /** m, `[D]`. */
  readonly mean: Float64Array;
  /** β, positive: how many observations the mean is worth. */
  readonly meanPrecision: number;
  /** W⁻¹, `[D · D]` row by row, symmetric positive definite; E[Λ] = ν W. */
  readonly inverseScale: Float64Array;
  /** ν > D − 1. */
  readonly degrees: number;
}

/** A mean and a precision matrix. */
export interface MeanAndPrecision {
  /** μ, `[D]`. */
  readonly mean: Float64Array;
  /** Λ, `[D · D]` row by row. */
  readonly precision: Float64Array;
}

/**
 * Normal–Wishart over the mean and precision of a Gaussian in D dimensions, its conjugate prior:
 * t(μ, Λ) = (Λ μ, Λ, μᵀ Λ μ, log |Λ|), η = (β m, −½ (W⁻¹ + β m mᵀ), −½ β, ½ (ν − D)), h = 1.
 *
 * An observation x adds (x, −½ x xᵀ, −½, ½): see `addObservation`.
 *
 * η loses the digits of W⁻¹ beside those of β m mᵀ where m is large: take means and observations less one that lies among them, as `gaussianMixture` does.
 *
 * @throws RangeError if D is not a positive integer; from its functions, if β ≤ 0, ν ≤ D − 1 or W⁻¹ is not positive definite, or not told apart from β m mᵀ, which is 10¹² of it.
 * Source: Bishop 2006, "Pattern recognition and machine learning", equations 10.40, 10.74 to 10.77, B.79 to B.81.
 */
export function normalWishartFamily(dimension: number): ExponentialFamily<NormalWishartParameters, MeanAndPrecision> {
  checkDimension("normalWishartFamily", dimension);
  const D = dimension;
  const size = D + D * D + 2;
  const parameters = (natural: Float64Array): NormalWishartParameters => {
    checkLength("Normal–Wishart: η", natural, size);
    const meanPrecision = -2 * natural[size - 2];
    checkPositive("Normal–Wishart: β", [meanPrecision]);
    const mean = natural.slice(0, D).map((value) => value / meanPrecision);
    const inverseScale = new Float64Array(D * D);
    for (let i = 0; i < D; i++) {
      for (let j = 0; j < D; j++) {
        inverseScale[i * D + j] = -2 * natural[D + i * D + j] - meanPrecision * mean[i] * mean[j];
      }
    }
    for (let i = 0; i < D; i++) {
      const far = meanPrecision * mean[i] * mean[i];
      if (far > 1e12 * Math.abs(inverseScale[i * D + i]))
        throw new RangeError(
          `Normal–Wishart: the mean lies so far from zero, or from the prior's mean (column ${i}: ${mean[i]}), that its square leaves no digits of W⁻¹; centre the data, or put the prior's mean among them.`,
        );
    }
    const degrees = 2 * natural[size - 1] + D;
    checkDegrees(degrees, D);
    return { mean, meanPrecision, inverseScale, degrees };
  };
  const factorOf = (inverseScale: Float64Array): Float64Array =>
    choleskyFactor(inverseScale, D, "Normal–Wishart: the inverse scale");
  return {
    name: "Normal–Wishart",
    size,
    natural: ({ mean, meanPrecision, inverseScale, degrees }) => {
      checkLength("Normal–Wishart: the mean", mean, D);
      checkLength("Normal–Wishart: the inverse scale", inverseScale, D * D);
      checkPositive("Normal–Wishart: β", [meanPrecision]);
      checkDegrees(degrees, D);
      factorOf(inverseScale);
      const natural = new Float64Array(size);
      for (let i = 0; i < D; i++) {
        natural[i] = meanPrecision * mean[i];
        for (let j = 0; j < D; j++) {
          natural[D + i * D + j] = -(inverseScale[i * D + j] + meanPrecision * mean[i] * mean[j]) / 2;
        }
      }
      natural[size - 2] = -meanPrecision / 2;
      natural[size - 1] = (degrees - D) / 2;
      return natural;
    },
    parameters,
    logNormaliser: (natural) => {
      const { meanPrecision, inverseScale, degrees } = parameters(natural);
      let value = (D / 2) * Math.log((2 * Math.PI) / meanPrecision) + ((degrees * D) / 2) * Math.LN2;
      value -= (degrees / 2) * logDeterminant(factorOf(inverseScale), D);
      value += ((D * (D - 1)) / 4) * Math.log(Math.PI);
      for (let i = 0; i < D; i++) value += logGamma((degrees - i) / 2);
      return value;
    },
    mean: (natural) => {
      const { mean, meanPrecision, inverseScale, degrees } = parameters(natural);
      const factor = factorOf(inverseScale);
      const precision = choleskyInverse(factor, D).map((value) => degrees * value);
      const first = matrixTimes(precision, mean);
      const out = new Float64Array(size);
      out.set(first);
      out.set(precision, D);
      out[size - 2] = D / meanPrecision + first.reduce((total, value, i) => total + value * mean[i], 0);
      out[size - 1] = D * Math.LN2 - logDeterminant(factor, D);
      for (let i = 0; i < D; i++) out[size - 1] += digamma((degrees - i) / 2);
      return out;
    },
    statistics: ({ mean, precision }) => {
      checkLength("Normal–Wishart: the mean μ", mean, D);
      checkLength("Normal–Wishart: the precision Λ", precision, D * D);
      const first = matrixTimes(precision, mean);
      const out = new Float64Array(size);
      out.set(first);
      out.set(precision, D);
      out[size - 2] = first.reduce((total, value, i) => total + value * mean[i], 0);
      out[size - 1] = logDeterminant(choleskyFactor(precision, D, "Normal–Wishart: the precision Λ"), D);
      return out;
    },
    logBase: () => 0,
  };
}

/**
 * Adds `weight` observations of x to the natural parameters of a Normal–Wishart: (x, −½ x xᵀ, −½, ½) times the weight, in place.
 *
 * @param natural - where to add, from `offset` on.
 * @param x - where x lies, from `at` on, D numbers.
 */
export function addObservation(
  natural: Float64Array,
  offset: number,
  D: number,
  x: Float64Array,
  at: number,
  weight: number,
): void {
  for (let i = 0; i < D; i++) {
    const scaled = weight * x[at + i];
    natural[offset + i] += scaled;
    for (let j = 0; j < D; j++) natural[offset + D + i * D + j] -= (scaled * x[at + j]) / 2;
  }
  natural[offset + D + D * D] -= weight / 2;
  natural[offset + D + D * D + 1] += weight / 2;
}

/**
 * `E[log N(x; μ, Λ⁻¹)] = E[Λ μ] · x − ½ xᵀ E[Λ] x − ½ E[μᵀ Λ μ] + ½ E[log |Λ|] − ½ D log 2π`.
 *
 * @param mean - the mean parameters of a Normal–Wishart.
 * @param x - where x lies, from `at` on, D numbers.
 */
export function expectedLogDensity(mean: Float64Array, D: number, x: Float64Array, at: number): number {
  let total = (mean[D + D * D + 1] - mean[D + D * D] - D * logTwoPi) / 2;
  for (let i = 0; i < D; i++) {
    let row = 0;
    for (let j = 0; j < D; j++) row += mean[D + i * D + j] * x[at + j];
    total += x[at + i] * (mean[i] - row / 2);
  }
  return total;
}

const logTwoPi = Math.log(2 * Math.PI);

function checkDegrees(degrees: number, D: number): void {
  if (!(degrees > D - 1 && degrees < Infinity))
    throw new RangeError(`Normal–Wishart: the degrees of freedom must be above D − 1 = ${D - 1}, not ${degrees}.`);
}
