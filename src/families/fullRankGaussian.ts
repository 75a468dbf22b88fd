import { MultivariateNormal } from "../distributions/multivariateNormal.js";
import { normal } from "../engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { checkSize, type Family } from "./family.js";
import type { GaussianFamilyOptions } from "./meanFieldGaussian.js";

/** Parameters of {@link fullRankGaussian}. */
export type FullRankParameters = {
  /** μ, `[B, D]`. */
  readonly mean: Tensor2D;
  /** `[B, D, D]`: below the diagonal the entries of L, on it the logarithms of L's; what is above is not read. */
  readonly logCholesky: Tensor3D;
};

/**
 * The full-rank Gaussian: q(z; φ) = N(z; μ, L Lᵀ), L lower-triangular with a positive diagonal, φ = (μ, log-Cholesky of the covariance).
 *
 * @throws Error if a size is not a positive integer, or `initialScale` is not positive.
 * Source of the parameters: Pinheiro & Bates 1996, "Unconstrained parametrizations for variance-covariance matrices".
 */
export function fullRankGaussian(options: GaussianFamilyOptions): Family<FullRankParameters> {
  const { dimension, batchSize = 1, initialScale = 1, initialSpread = 0.1 } = options;
  checkSize("fullRankGaussian: dimension", dimension);
  checkSize("fullRankGaussian: batchSize", batchSize);
  if (!(initialScale > 0)) throw new Error(`fullRankGaussian: initialScale must be positive, not ${initialScale}.`);
  return {
    dimension,
    init: (key) =>
      ({
        mean: tf.tidy(() => tf.mul(normal(key, [batchSize, dimension]), initialSpread)),
        logCholesky: tf.tidy(() =>
          tf.tile(tf.mul(tf.eye(dimension, dimension, [1]), Math.log(initialScale)), [batchSize, 1, 1]),
        ),
      }) as FullRankParameters,
    distribution: ({ mean, logCholesky }) =>
      new MultivariateNormal({ mean, scaleTril: tf.tidy(() => choleskyFactor(logCholesky)) }),
  };
}

/** L, `[B, D, D]`. @internal */
export function choleskyFactor(logCholesky: Tensor3D): Tensor3D {
  const size = logCholesky.shape[1];
  const diagonal = tf.eye(size);
  const below = tf.tensor2d(
    Float32Array.from({ length: size * size }, (_, i) => (Math.floor(i / size) > i % size ? 1 : 0)),
    [size, size],
  );
  return tf.add(tf.mul(logCholesky, below), tf.mul(exp(tf.mul(logCholesky, diagonal)), diagonal));
}
