import { Gamma } from "../distributions/gamma.js";
import { Independent } from "../distributions/independent.js";
import { tf } from "../engine/tf.js";
import type { MlpParameters } from "../models/mlp.js";
import { exp } from "../ops/exp.js";
import { checkPositiveNumber } from "./family.js";
import type { Conditional } from "./hierarchical.js";
import { type PerceptronOptions, perceptronConditional } from "./perceptronConditional.js";

/** Options of {@link gammaConditional}. */
export interface GammaConditionalOptions extends PerceptronOptions {
  /** α to start about. Default 1. */
  readonly initialConcentration?: number;
  /** Mean α/β to start about. Default 1. */
  readonly initialMean?: number;
}

/**
 * q(z | ψ, x) = ∏_d Gamma(z_d; α_d, β_d), for positive z, with log α and the log of the mean α/β from a perceptron of (ψ, x).
 *
 * Reparameterised, implicitly in α.
 *
 * @throws Error if a size is not a positive integer, or a start is not positive; when evaluated, if ψ or x has another width.
 */
export function gammaConditional(options: GammaConditionalOptions): Conditional<MlpParameters> {
  const { latent, initialConcentration = 1, initialMean = 1 } = options;
  checkPositiveNumber("gammaConditional: initialConcentration", initialConcentration);
  checkPositiveNumber("gammaConditional: initialMean", initialMean);
  return perceptronConditional({
    ...options,
    name: "gammaConditional",
    outputs: [latent, latent],
    start: [Math.log(initialConcentration), Math.log(initialMean)],
    law: ([logConcentration, logMean]) => {
      const rate = exp(tf.sub(logConcentration!, logMean!));
      return new Independent({ base: new Gamma({ concentration: exp(logConcentration!), rate }), eventRank: 1 });
    },
  });
}
