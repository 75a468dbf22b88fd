import { LowRankNormal } from "../distributions/lowRankNormal.js";
import { normal, split } from "../engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { checkSize, type Family } from "./family.js";
import type { GaussianFamilyOptions } from "./meanFieldGaussian.js";

/** Parameters of {@link lowRankGaussian}. */
export type LowRankParameters = {
  /** μ, `[B, D]`. */
  readonly mean: Tensor2D;
  /** log σ, `[B, D]`. */
  readonly logScale: Tensor2D;
  /** F, `[B, D, R]`. */
  readonly factors: Tensor3D;
};

/** Options of {@link lowRankGaussian}. */
export interface LowRankGaussianOptions extends GaussianFamilyOptions {
  /** R, from 1 to D. */
  readonly rank: number;
}

/**
 * The Gaussian with few correlated directions: q(z; φ) = N(z; μ, diag(σ²) + F Fᵀ), φ = (μ, log σ, F), between mean-field (F = 0) and full rank.
 *
 * F starts small and at random: at F = 0 the bound has no slope in it.
 *
 * @throws Error if a size is not a positive integer, the rank exceeds the dimension, or `initialScale` is not positive.
 * Source: Ong, Nott & Smith 2018, "Gaussian variational approximation with a factor covariance structure".
 */
export function lowRankGaussian(options: LowRankGaussianOptions): Family<LowRankParameters> {
  const { dimension, rank, batchSize = 1, initialScale = 1, initialSpread = 0.1 } = options;
  checkSize("lowRankGaussian: dimension", dimension);
  checkSize("lowRankGaussian: batchSize", batchSize);
  checkSize("lowRankGaussian: rank", rank);
  if (rank > dimension)
    throw new Error(`lowRankGaussian: the rank ${rank} exceeds the dimension ${dimension}; use fullRankGaussian.`);
  if (!(initialScale > 0)) throw new Error(`lowRankGaussian: initialScale must be positive, not ${initialScale}.`);
  return {
    dimension,
    init: (key) => {
      const [centre, correlated] = split(key);
      const size = (0.1 * initialScale) / Math.sqrt(rank);
      return {
        mean: tf.tidy(() => tf.mul(normal(centre, [batchSize, dimension]), initialSpread)),
        logScale: tf.fill([batchSize, dimension], Math.log(initialScale)),
        factors: tf.tidy(() => tf.mul(normal(correlated, [batchSize, dimension, rank]), size)),
      } as LowRankParameters;
    },
    distribution: ({ mean, logScale, factors }) => new LowRankNormal({ mean, scale: exp(logScale), factors }),
  };
}
