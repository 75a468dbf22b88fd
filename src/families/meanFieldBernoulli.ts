import { Bernoulli } from "../distributions/bernoulli.js";
import { Independent } from "../distributions/independent.js";
import { normal } from "../engine/random.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import { checkSize, type Family } from "./family.js";

/** Parameters of {@link meanFieldBernoulli}. */
export type MeanFieldBernoulliParameters = {
  /** l, `[B, D]`: q(z_d = 1) = σ(l_d). */
  readonly logits: Tensor2D;
};

/** Options of {@link meanFieldBernoulli}. */
export interface MeanFieldBernoulliOptions {
  /** D. */
  readonly dimension: number;
  /** B, independent posteriors held at once. Default 1. */
  readonly batchSize?: number;
  /** Standard deviation of the start's random logits. Default 0.1: near even odds, yet no two bits start alike. */
  readonly initialSpread?: number;
}

/**
 * Independent bits: q(z; φ) = ∏_d Ber(z_d; σ(l_d)), with φ = l; draws are 0 or 1 as float32.
 *
 * @throws Error if a size is not a positive integer.
 */
export function meanFieldBernoulli(options: MeanFieldBernoulliOptions): Family<MeanFieldBernoulliParameters> {
  const { dimension, batchSize = 1, initialSpread = 0.1 } = options;
  checkSize("meanFieldBernoulli: dimension", dimension);
  checkSize("meanFieldBernoulli: batchSize", batchSize);
  return {
    dimension,
    init: (key) => ({ logits: tf.tidy(() => tf.mul(normal(key, [batchSize, dimension]), initialSpread) as Tensor2D) }),
    distribution: ({ logits }) => new Independent({ base: new Bernoulli({ logits }), eventRank: 1 }),
  };
}
