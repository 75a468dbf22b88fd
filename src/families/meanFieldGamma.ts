import { Gamma } from "../distributions/gamma.js";
import { Independent } from "../distributions/independent.js";
import { normal } from "../engine/random.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { checkPositiveNumber, checkSize, type Family } from "./family.js";

/** Parameters of {@link meanFieldGamma}, `[B, D]` each. */
export type MeanFieldGammaParameters = {
  /** log α. */
  readonly logConcentration: Tensor2D;
  /** The log of the mean α/β. */
  readonly logMean: Tensor2D;
};

/**
 * The mean-field gamma for positive z: q(z; φ) = ∏_d Gamma(z_d; α_d, β_d), with φ the logs of α and of the mean α/β.
 *
 * As a mixing family it takes ψ = z. Reparameterised, implicitly in α.
 *
 * @param options.initialConcentration α to start from. Default 1.
 * @param options.initialMean the mean to start about; the starts' logs differ by N(0, 0.1²), so that no two coordinates start alike. Default 1.
 * @throws Error if a size is not a positive integer, or a start is not positive.
 */
export function meanFieldGamma(options: {
  /** D. */
  readonly dimension: number;
  /** B. Default 1. */
  readonly batchSize?: number;
  readonly initialConcentration?: number;
  readonly initialMean?: number;
}): Family<MeanFieldGammaParameters> {
  const { dimension, batchSize = 1, initialConcentration = 1, initialMean = 1 } = options;
  checkSize("meanFieldGamma: dimension", dimension);
  checkSize("meanFieldGamma: batchSize", batchSize);
  checkPositiveNumber("meanFieldGamma: initialConcentration", initialConcentration);
  checkPositiveNumber("meanFieldGamma: initialMean", initialMean);
  const shape: [number, number] = [batchSize, dimension];
  return {
    dimension,
    init: (key) =>
      ({
        logConcentration: tf.fill(shape, Math.log(initialConcentration)),
        logMean: tf.tidy(() => tf.add(tf.mul(normal(key, shape), 0.1), Math.log(initialMean))),
      }) as MeanFieldGammaParameters,
    distribution: ({ logConcentration, logMean }) => {
      const rate = exp(tf.sub(logConcentration, logMean));
      return new Independent({ base: new Gamma({ concentration: exp(logConcentration), rate }), eventRank: 1 });
    },
  };
}
