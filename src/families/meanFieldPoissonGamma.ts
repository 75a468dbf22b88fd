import { Concatenated } from "../distributions/concatenated.js";
import { Gamma } from "../distributions/gamma.js";
import { Independent } from "../distributions/independent.js";
import { Poisson } from "../distributions/poisson.js";
import { normal, split } from "../engine/random.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { checkPositiveNumber, checkSize, type Family } from "./family.js";

/** Parameters of {@link meanFieldPoissonGamma}. */
export type MeanFieldPoissonGammaParameters = {
  /** log λ of the counts, `[B, N]`. */
  readonly logRate: Tensor2D;
  /** log α of the positive numbers, `[B, P]`. */
  readonly logConcentration: Tensor2D;
  /** The log of their means α/β, `[B, P]`. */
  readonly logMean: Tensor2D;
};

/** Options of {@link meanFieldPoissonGamma}. */
export interface MeanFieldPoissonGammaOptions {
  /** N. */
  readonly counts: number;
  /** P. */
  readonly positives: number;
  /** B. Default 1. */
  readonly batchSize?: number;
  /** λ to start about. Default 1. */
  readonly initialRate?: number;
  /** α to start from. Default 1. */
  readonly initialConcentration?: number;
  /** The mean to start about. Default 1. */
  readonly initialMean?: number;
  /** The standard deviation of the starts' logs, so that no two coordinates start alike. Default 0.1. */
  readonly spread?: number;
}

/**
 * The mean-field family for counts beside positive numbers: q(z; φ) = ∏_n Poisson(z_n; λ_n) ∏_p Gamma(z_{N+p}; α_p, β_p), with φ the logs of λ, α and α/β.
 *
 * Not reparameterised: it is for score-function gradients.
 *
 * @throws Error if a size is not a positive integer, a start is not positive, or the spread is negative.
 */
export function meanFieldPoissonGamma(options: MeanFieldPoissonGammaOptions): Family<MeanFieldPoissonGammaParameters> {
  const { counts, positives, batchSize = 1, spread = 0.1 } = options;
  const { initialRate = 1, initialConcentration = 1, initialMean = 1 } = options;
  for (const [name, size] of Object.entries({ counts, positives, batchSize }))
    checkSize(`meanFieldPoissonGamma: ${name}`, size);
  for (const [name, value] of Object.entries({ initialRate, initialConcentration, initialMean }))
    checkPositiveNumber(`meanFieldPoissonGamma: ${name}`, value);
  if (!(spread >= 0 && Number.isFinite(spread)))
    throw new Error(`meanFieldPoissonGamma: spread must be finite and not negative, not ${spread}.`);
  return {
    dimension: counts + positives,
    init: (key) => {
      const [first, second] = split(key);
      const about = (own: typeof key, size: number, centre: number): Tensor2D =>
        tf.tidy(() => tf.add(tf.mul(normal(own, [batchSize, size]), spread), Math.log(centre)) as Tensor2D);
      return {
        logRate: about(first, counts, initialRate),
        logConcentration: tf.fill([batchSize, positives], Math.log(initialConcentration)) as Tensor2D,
        logMean: about(second, positives, initialMean),
      };
    },
    distribution: ({ logRate, logConcentration, logMean }) =>
      new Concatenated({
        parts: [
          new Independent({ base: new Poisson({ rate: exp(logRate) }), eventRank: 1 }),
          new Independent({
            base: new Gamma({
              concentration: exp(logConcentration),
              rate: exp(tf.sub(logConcentration, logMean)),
            }),
            eventRank: 1,
          }),
        ],
      }),
  };
}
