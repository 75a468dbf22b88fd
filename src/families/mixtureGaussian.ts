import { Independent } from "../distributions/independent.js";
import { Mixture } from "../distributions/mixture.js";
import { Normal } from "../distributions/normal.js";
import { normal } from "../engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { checkPositiveNumber, checkSize, type Family } from "./family.js";

/** Parameters of {@link mixtureGaussian}. */
export type MixtureGaussianParameters = {
  /** Log-weights up to a constant, `[B, C]`. */
  readonly logits: Tensor2D;
  /** μ, `[B, C, D]`. */
  readonly means: Tensor3D;
  /** log σ, `[B, C, D]`. */
  readonly logScales: Tensor3D;
};

/** Options of {@link mixtureGaussian}. */
export interface MixtureGaussianOptions {
  /** D. */
  readonly dimension: number;
  /** C, the number of Gaussians. */
  readonly components: number;
  /** B, independent posteriors held at once. Default 1. */
  readonly batchSize?: number;
  /** σ of each Gaussian at the start. Default 1. */
  readonly initialScale?: number;
  /** Standard deviation of the start's random means: equal Gaussians would stay equal. Default 1. */
  readonly initialSpread?: number;
}

/**
 * The mixture of C diagonal Gaussians: q(z; φ) = Σ_c w_c N(z; μ_c, diag σ_c²), φ = (logits, μ, log σ), with w the softmax of the logits.
 *
 * **Not reparameterised**: the choice of a Gaussian carries no gradient. Score-function gradients take it, others refuse it.
 *
 * @throws Error if a size is not a positive integer, or `initialScale` or `initialSpread` is not positive.
 */
export function mixtureGaussian(options: MixtureGaussianOptions): Family<MixtureGaussianParameters> {
  const { dimension, components, batchSize = 1, initialScale = 1, initialSpread = 1 } = options;
  checkSize("mixtureGaussian: dimension", dimension);
  checkSize("mixtureGaussian: components", components);
  checkSize("mixtureGaussian: batchSize", batchSize);
  checkPositiveNumber("mixtureGaussian: initialScale", initialScale);
  checkPositiveNumber("mixtureGaussian: initialSpread", initialSpread);
  const shape: [number, number, number] = [batchSize, components, dimension];
  return {
    dimension,
    init: (key) => ({
      logits: tf.zeros([batchSize, components]) as Tensor2D,
      means: tf.tidy(() => tf.mul(normal(key, shape), initialSpread) as Tensor3D),
      logScales: tf.fill(shape, Math.log(initialScale)) as Tensor3D,
    }),
    distribution: ({ logits, means, logScales }) => {
      const base = new Normal({ mean: means, scale: exp(logScales) });
      return new Mixture({ logits, components: new Independent({ base, eventRank: 1 }) });
    },
  };
}
