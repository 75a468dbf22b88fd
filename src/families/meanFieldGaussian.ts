import { Independent } from "../distributions/independent.js";
import { Normal } from "../distributions/normal.js";
import { normal } from "../engine/random.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { checkSize, type Family } from "./family.js";

/** Parameters of {@link meanFieldGaussian}. */
export type MeanFieldParameters = {
  /** μ, `[B, D]`. */
  readonly mean: Tensor2D;
  /** log σ, `[B, D]`. */
  readonly logScale: Tensor2D;
};

/** Options of {@link meanFieldGaussian} and {@link fullRankGaussian}. */
export interface GaussianFamilyOptions {
  /** D. */
  readonly dimension: number;
  /** B, independent posteriors held at once. Default 1. */
  readonly batchSize?: number;
  /** Standard deviation of q at the start. Default 1. */
  readonly initialScale?: number;
  /** Standard deviation of the start's random means. Default 0.1: small, yet no two coordinates start alike. */
  readonly initialSpread?: number;
}

/**
 * The mean-field Gaussian: q(z; φ) = ∏_d N(z_d; μ_d, σ_d²), with φ = (μ, log σ).
 *
 * Its optimum on a Gaussian with precision Λ has the variances 1/Λ_dd.
 *
 * @throws Error if a size is not a positive integer, or `initialScale` is not positive.
 */
export function meanFieldGaussian(options: GaussianFamilyOptions): Family<MeanFieldParameters> {
  const { dimension, batchSize = 1, initialScale = 1, initialSpread = 0.1 } = options;
  checkSize("meanFieldGaussian: dimension", dimension);
  checkSize("meanFieldGaussian: batchSize", batchSize);
  if (!(initialScale > 0)) throw new Error(`meanFieldGaussian: initialScale must be positive, not ${initialScale}.`);
  return {
    dimension,
    init: (key) =>
      ({
        mean: tf.tidy(() => tf.mul(normal(key, [batchSize, dimension]), initialSpread)),
        logScale: tf.fill([batchSize, dimension], Math.log(initialScale)),
      }) as MeanFieldParameters,
    distribution: ({ mean, logScale }) =>
      new Independent({ base: new Normal({ mean, scale: exp(logScale) }), eventRank: 1 }),
  };
}
