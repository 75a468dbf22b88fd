import type { Parameters } from "../engine/parameters.js";
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { diagonal } from "../ops/lowerTriangle.js";
import { matMul } from "../ops/matMul.js";
import { checkSize } from "./family.js";
import { choleskyFactor } from "./fullRankGaussian.js";

/**
 * A Gaussian q(v) = N(m, S) of the whitened inducing variables of a Gaussian process, u = L v with L Lᵀ = K_ZZ, so that their prior is N(0, I).
 *
 * What a sparse bound needs of it: the marginals of aᵀv, and the divergence from the prior.
 */
export interface InducingPosterior<Q extends Parameters> {
  /** M. */
  readonly dimension: number;
  /** q = the prior, or near it: new tensors, the caller's. */
  init(): Q;
  /** m, `[M, 1]`. */
  mean(q: Q): Tensor2D;
  /** a_sᵀ S a_s for the columns of a `[M, S]`: `[S]`. */
  variance(q: Q, a: Tensor): Tensor1D;
  /** KL(q ‖ N(0, I)). */
  kl(q: Q): Scalar;
}

/** Parameters of {@link choleskyPosterior}. */
export type CholeskyPosteriorParameters = {
  /** m, `[M, 1]`. */
  readonly mean: Tensor2D;
  /** `[1, M, M]`: below the diagonal the entries of S's factor, on it their logarithms; what is above is not read. */
  readonly logCholesky: Tensor3D;
};

/**
 * q(v) = N(m, C Cᵀ) by mean and Cholesky factor, for plain gradients.
 *
 * @param options.scale the diagonal of C at the start. Default 1, the prior; a small one lets an inner layer of a deep process start without noise.
 * @throws Error if the dimension is no positive integer, or the scale is not positive and finite.
 */
export function choleskyPosterior(options: {
  /** M. */
  readonly dimension: number;
  readonly scale?: number;
}): InducingPosterior<CholeskyPosteriorParameters> {
  const { dimension, scale = 1 } = options;
  checkSize("choleskyPosterior: dimension", dimension);
  if (!(scale > 0 && scale < Infinity))
    throw new Error(`choleskyPosterior: scale must be positive and finite, not ${scale}.`);
  const factor = (q: CholeskyPosteriorParameters): Tensor2D =>
    tf.reshape(choleskyFactor(q.logCholesky), [dimension, dimension]);
  return {
    dimension,
    init: () => ({
      mean: tf.zeros([dimension, 1]),
      logCholesky: tf.tidy(() => tf.mul(tf.eye(dimension, dimension, [1]), Math.log(scale))) as Tensor3D,
    }),
    mean: (q) => tf.clone(q.mean),
    variance: (q, a) =>
      tf.tidy(() => tf.sum(tf.square(matMul(factor(q), a as Tensor2D, { transposeA: true })), 0)) as Tensor1D,
    kl: (q) =>
      tf.tidy(() => {
        const squares = tf.add(tf.sum(tf.square(factor(q))), tf.sum(tf.square(q.mean)));
        const logDeterminant = tf.mul(2, tf.sum(diagonal(q.logCholesky)));
        return tf.mul(0.5, tf.sub(tf.sub(squares, dimension), logDeterminant));
      }) as Scalar,
  };
}
