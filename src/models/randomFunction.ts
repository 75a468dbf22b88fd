import { type Key, normal, split, uniform } from "../engine/random.js";
import { valuesOf } from "../engine/values.js";
import { checkPositive } from "../kernels/radialKernel.js";
import { pointsOf } from "./gaussianProcess.js";

/** A draw of a function, evaluated in Float64 at points `[n · D]`: `[n]`. */
export type DrawnFunction = (points: ArrayLike<number>) => Float64Array;

/**
 * A function drawn from a Gaussian process with the squared-exponential kernel, all but exactly and for any number of points, by random features:
 * `f(x) = √(2v/F) Σ_j cos(ω_jᵀx + b_j) ε_j` with `ω_j ~ N(0, I/ℓ²)`, `b_j ~ U(0, 2π)`, `ε_j ~ N(0, 1)`, all independent.
 *
 * Mean and covariance are those of the process for any F, E f(x) f(y) = v exp(−|x − y|²/(2ℓ²)); it is Gaussian as F grows. For simulated data sets that are too large for a Cholesky factor.
 *
 * @param options.dimension - D.
 * @param options.lengthScale - ℓ.
 * @param options.variance - v. Default 1.
 * @param options.features - F. Default 500.
 * @throws RangeError if D or F is no positive integer, ℓ or v not positive and finite; when called, if the points do not fit.
 * Source: Rahimi & Recht 2007, "Random features for large-scale kernel machines", algorithm 1.
 */
export function randomFunction(options: {
  readonly dimension: number;
  readonly lengthScale: number;
  readonly variance?: number;
  readonly features?: number;
  readonly key: Key;
}): DrawnFunction {
  const { dimension, lengthScale, variance = 1, features = 500, key } = options;
  for (const [name, value] of Object.entries({ dimension, features }))
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`randomFunction: ${name} must be a positive integer, not ${value}.`);
  checkPositive("randomFunction: lengthScale", lengthScale);
  checkPositive("randomFunction: variance", variance);
  const [forFrequency, forPhase, forWeight] = split(key, 3);
  const frequency = Float64Array.from(valuesOf(() => normal(forFrequency, [features, dimension])));
  const phase = Float64Array.from(valuesOf(() => uniform(forPhase, [features])));
  const weight = Float64Array.from(valuesOf(() => normal(forWeight, [features])));
  const scale = Math.sqrt((2 * variance) / features);
  return (points) =>
    Float64Array.from(pointsOf("randomFunction", points, dimension), (x) => {
      let total = 0;
      for (let j = 0; j < features; j++) {
        let angle = 2 * Math.PI * phase[j];
        for (let d = 0; d < dimension; d++) angle += (frequency[j * dimension + d] / lengthScale) * x[d];
        total += weight[j] * Math.cos(angle);
      }
      return scale * total;
    });
}
