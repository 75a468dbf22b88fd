import { choleskyFactor, choleskyInverse, logDeterminant } from "../diagnostics/choleskyFactor.js";
import { Independent } from "../distributions/independent.js";
import { MultivariateNormal } from "../distributions/multivariateNormal.js";
import { Normal } from "../distributions/normal.js";
import { SpikedNormal } from "../distributions/spikedNormal.js";
import { type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { NoParameters, Posterior } from "../models/problem.js";

/** A Gaussian given by numbers: what `laplace`, `deltaMethod` and `jaakkolaJordan` find. */
export interface LocalGaussian {
  /** D. */
  readonly dimension: number;
  /** `[D]`. */
  readonly mean: Float64Array;
  /** Marginal standard deviations, `[D]`. */
  readonly standardDeviations: Float64Array;
  /** `[D · D]` row by row; only of a dense Gaussian. */
  readonly covariance?: Float64Array;
  /** ½ log |2πΣ|: what the Gaussian's volume adds to a log-density at its peak. */
  readonly logVolume: number;
  /** It as a posterior without parameters, for `densityProblem`: ELBO, k̂ and draws are then computed as of any other. */
  readonly posterior: Posterior<NoParameters>;
}

const halfLogTwoPi = Math.log(2 * Math.PI) / 2;

/** @throws RangeError if the precision is not positive definite. @internal */
export function denseGaussian(mean: Float64Array, precision: Float64Array, what: string): LocalGaussian {
  const D = mean.length;
  const factor = choleskyFactor(precision, D, what);
  const covariance = choleskyInverse(factor, D);
  const lower = choleskyFactor(covariance, D, "The covariance");
  return {
    dimension: D,
    mean,
    covariance,
    standardDeviations: mean.map((_, d) => Math.sqrt(covariance[d * D + d])),
    logVolume: D * halfLogTwoPi - logDeterminant(factor, D) / 2,
    posterior: {
      dimension: D,
      distribution: () =>
        new MultivariateNormal(
          tidied(() => ({
            mean: tf.tensor2d(Float32Array.from(mean), [1, D]),
            scaleTril: tf.tensor3d(Float32Array.from(lower), [1, D, D]),
          })),
        ),
    },
  };
}

/** @internal */
export function diagonalGaussian(mean: Float64Array, standardDeviations: Float64Array): LocalGaussian {
  const D = mean.length;
  return {
    dimension: D,
    mean,
    standardDeviations,
    logVolume: standardDeviations.reduce((sum, scale) => sum + Math.log(scale), D * halfLogTwoPi),
    posterior: {
      dimension: D,
      distribution: () => {
        const [location, scale] = [mean, standardDeviations].map((row) => tf.tensor2d(Float32Array.from(row), [1, D]));
        return new Independent({ base: new Normal({ mean: location, scale }), eventRank: 1 });
      },
    },
  };
}

/** A Gaussian with precision `diag(d)^½ (I + Vᵀ diag(λ) V) diag(d)^½`, V `[R · D]` with orthonormal rows and λ > −1. @internal */
export function spikedGaussian(
  mean: Float64Array,
  parts: { readonly diagonal: Float64Array; readonly directions: Float64Array; readonly values: Float64Array },
): LocalGaussian {
  const { diagonal, directions, values } = parts;
  const [D, R] = [mean.length, values.length];
  const scale = diagonal.map((d) => 1 / Math.sqrt(d));
  const stretch = values.map((value) => 1 / Math.sqrt(1 + value));
  const standardDeviations = scale.map((s, d) => {
    let share = 1;
    for (let r = 0; r < R; r++) share += (stretch[r] ** 2 - 1) * directions[r * D + d] ** 2;
    return s * Math.sqrt(share);
  });
  const logs = (row: Float64Array): number => row.reduce((sum, value) => sum + Math.log(value), 0);
  return {
    dimension: D,
    mean,
    standardDeviations,
    logVolume: D * halfLogTwoPi + logs(scale) + logs(stretch),
    posterior: {
      dimension: D,
      distribution: () =>
        new SpikedNormal(
          tidied(() => ({
            mean: tf.tensor1d(Float32Array.from(mean)) as Tensor1D,
            scale: tf.tensor1d(Float32Array.from(scale)) as Tensor1D,
            directions: tf.tensor2d(Float32Array.from(directions), [R, D]) as Tensor2D,
            stretch: tf.tensor1d(Float32Array.from(stretch)) as Tensor1D,
          })),
        ),
    },
  };
}
