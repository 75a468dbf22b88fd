import { Independent } from "../distributions/independent.js";
import { LogitNormal } from "../distributions/logitNormal.js";
import type { MlpParameters } from "../models/mlp.js";
import { exp } from "../ops/exp.js";
import { checkPositiveNumber } from "./family.js";
import type { Conditional } from "./hierarchical.js";
import { type PerceptronOptions, perceptronConditional } from "./perceptronConditional.js";

/** Options of {@link logitNormalConditional}. */
export interface LogitNormalConditionalOptions extends PerceptronOptions {
  /** σ of logit z to start about. Default 0.5. */
  readonly initialScale?: number;
}

/**
 * q(z | ψ, x) = ∏_d LogitNormal(z_d; μ_d, σ_d) on (0, 1)^D, with μ and log σ from a perceptron of (ψ, x). Reparameterised.
 *
 * @throws Error if a size is not a positive integer, or `initialScale` is not positive; when evaluated, if ψ or x has another width.
 */
export function logitNormalConditional(options: LogitNormalConditionalOptions): Conditional<MlpParameters> {
  const { latent, initialScale = 0.5 } = options;
  checkPositiveNumber("logitNormalConditional: initialScale", initialScale);
  return perceptronConditional({
    ...options,
    name: "logitNormalConditional",
    outputs: [latent, latent],
    start: [0, Math.log(initialScale)],
    law: ([mean, logScale]) =>
      new Independent({ base: new LogitNormal({ mean: mean!, scale: exp(logScale!) }), eventRank: 1 }),
  });
}
