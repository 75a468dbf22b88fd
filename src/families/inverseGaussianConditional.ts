import { Independent } from "../distributions/independent.js";
import { InverseGaussian } from "../distributions/inverseGaussian.js";
import type { MlpParameters } from "../models/mlp.js";
import { exp } from "../ops/exp.js";
import { checkPositiveNumber } from "./family.js";
import type { Conditional } from "./hierarchical.js";
import { type PerceptronOptions, perceptronConditional } from "./perceptronConditional.js";

/** Options of {@link inverseGaussianConditional}. */
export interface InverseGaussianConditionalOptions extends PerceptronOptions {
  /** μ to start about. Default 1. */
  readonly initialMean?: number;
  /** λ to start about. Default 1. */
  readonly initialShape?: number;
}

/**
 * q(z | ψ, x) = ∏_d IG(z_d; μ_d, λ_d), inverse Gaussian for positive z, with log μ and log λ from a perceptron of (ψ, x).
 *
 * Reparameterised, implicitly in both.
 *
 * @throws Error if a size is not a positive integer, or a start is not positive; when evaluated, if ψ or x has another width.
 */
export function inverseGaussianConditional(options: InverseGaussianConditionalOptions): Conditional<MlpParameters> {
  const { latent, initialMean = 1, initialShape = 1 } = options;
  checkPositiveNumber("inverseGaussianConditional: initialMean", initialMean);
  checkPositiveNumber("inverseGaussianConditional: initialShape", initialShape);
  return perceptronConditional({
    ...options,
    name: "inverseGaussianConditional",
    outputs: [latent, latent],
    start: [Math.log(initialMean), Math.log(initialShape)],
    law: ([logMean, logShape]) =>
      new Independent({ base: new InverseGaussian({ mean: exp(logMean!), shape: exp(logShape!) }), eventRank: 1 }),
  });
}
