import type { NormalWishartParameters } from "./normalWishartFamily.js";

/**
 * A Normal–Wishart that observations are given to and taken from again, kept by its parameters (m, β, W⁻¹, ν) and not by the natural ones,
 * whose `W⁻¹ + β m mᵀ` loses digits where data lie far from zero.
 */
export interface NormalWishartMoments extends NormalWishartParameters {
  meanPrecision: number;
  degrees: number;
}

/**
 * Adds `weight` observations of x in place, or takes them off where it is negative: with β' = β + w and c = β w / β',
 * `m' = m + (w / β') (x − m)`, `W'⁻¹ = W⁻¹ + c (x − m)(x − m)ᵀ`, `ν' = ν + w`.
 *
 * What is taken must have been given before: only then does W'⁻¹ stay positive definite.
 *
 * @param x - where x lies, from `at` on, D numbers.
 * Source: Bishop 2006, "Pattern recognition and machine learning", equations 10.60 to 10.63, for one point.
 */
export function moveObservation(moments: NormalWishartMoments, x: Float64Array, at: number, weight: number): void {
  const { mean, inverseScale, meanPrecision } = moments;
  const D = mean.length;
  const after = meanPrecision + weight;
  const spread = (meanPrecision * weight) / after;
  for (let i = 0; i < D; i++) {
    const off = spread * (x[at + i] - mean[i]);
    for (let j = 0; j < D; j++) inverseScale[i * D + j] += off * (x[at + j] - mean[j]);
  }
  for (let i = 0; i < D; i++) mean[i] += (weight / after) * (x[at + i] - mean[i]);
  moments.meanPrecision = after;
  moments.degrees += weight;
}

/**
 * The posterior of a prior and weighted points from scratch, in two passes: the mean first, then squares about it.
 *
 * @param values - points, `[n · D]` row by row.
 * @param weightOf - the weight of each row.
 */
export function gatheredMoments(
  prior: NormalWishartParameters,
  values: Float64Array,
  weightOf: (row: number) => number,
): NormalWishartMoments {
  const D = prior.mean.length;
  const rows = values.length / D;
  const shift = new Float64Array(D);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const weight = weightOf(row);
    total += weight;
    for (let d = 0; d < D; d++) shift[d] += weight * (values[row * D + d] - prior.mean[d]);
  }
  const meanPrecision = prior.meanPrecision + total;
  const mean = shift.map((sum, d) => prior.mean[d] + sum / meanPrecision);
  const inverseScale = Float64Array.from(prior.inverseScale);
  const addSquare = (point: Float64Array, at: number, weight: number): void => {
    for (let i = 0; i < D; i++)
      for (let j = 0; j < D; j++)
        inverseScale[i * D + j] += weight * (point[at + i] - mean[i]) * (point[at + j] - mean[j]);
  };
  addSquare(prior.mean, 0, prior.meanPrecision);
  for (let row = 0; row < rows; row++) addSquare(values, row * D, weightOf(row));
  return { mean, meanPrecision, inverseScale, degrees: prior.degrees + total };
}
