import { Independent } from "../distributions/independent.js";
import { NegativeBinomial } from "../distributions/negativeBinomial.js";
import { tf } from "../engine/tf.js";
import type { MlpParameters } from "../models/mlp.js";
import { exp } from "../ops/exp.js";
import { checkPositiveNumber } from "./family.js";
import type { Conditional } from "./hierarchical.js";
import { type PerceptronOptions, perceptronConditional } from "./perceptronConditional.js";

/** Options of {@link negativeBinomialConditional}. */
export interface NegativeBinomialConditionalOptions extends PerceptronOptions {
  /** r to start about. Default 1. */
  readonly initialConcentration?: number;
  /** Mean to start about. Default 1. */
  readonly initialMean?: number;
}

/**
 * q(z | ψ, x) = ∏_d NB(z_d; r_d, p_d), for counts z, with log r and the log of the mean m = r p/(1 − p) from a perceptron of (ψ, x).
 *
 * **Not reparameterised**: counts are discrete, no gradient flows through them, and gradients that need one refuse this q.
 *
 * @throws Error if a size is not a positive integer, or a start is not positive; when evaluated, if ψ or x has another width.
 */
export function negativeBinomialConditional(options: NegativeBinomialConditionalOptions): Conditional<MlpParameters> {
  const { latent, initialConcentration = 1, initialMean = 1 } = options;
  checkPositiveNumber("negativeBinomialConditional: initialConcentration", initialConcentration);
  checkPositiveNumber("negativeBinomialConditional: initialMean", initialMean);
  return perceptronConditional({
    ...options,
    name: "negativeBinomialConditional",
    outputs: [latent, latent],
    start: [Math.log(initialConcentration), Math.log(initialMean)],
    law: ([logConcentration, logMean]) => {
      const [concentration, logits] = [exp(logConcentration!), tf.sub(logMean!, logConcentration!)];
      return new Independent({ base: new NegativeBinomial({ concentration, logits }), eventRank: 1 });
    },
  });
}
