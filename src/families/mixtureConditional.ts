import { Independent } from "../distributions/independent.js";
import { Mixture } from "../distributions/mixture.js";
import { Normal } from "../distributions/normal.js";
import { type Tensor, tf } from "../engine/tf.js";
import type { MlpParameters } from "../models/mlp.js";
import { exp } from "../ops/exp.js";
import { checkPositiveNumber, checkSize } from "./family.js";
import type { Conditional } from "./hierarchical.js";
import { type PerceptronOptions, perceptronConditional } from "./perceptronConditional.js";

/** Options of {@link mixtureConditional}. */
export interface MixtureConditionalOptions extends PerceptronOptions {
  /** C, the number of Gaussians. */
  readonly components: number;
  /** σ to start about. Default 0.5. */
  readonly initialScale?: number;
}

/**
 * q(z | ψ, x) = Σ_c w_c N(z; μ_c, diag σ_c²), a mixture of C Gaussians, with log-weights, μ and log σ of each from a perceptron of (ψ, x).
 *
 * **Not reparameterised**: the choice of a Gaussian carries no gradient, and gradients that need one refuse this q.
 *
 * @throws Error if a size or C is not a positive integer, or `initialScale` is not positive; when evaluated, if ψ or x has another width.
 */
export function mixtureConditional(options: MixtureConditionalOptions): Conditional<MlpParameters> {
  const { latent, components, initialScale = 0.5 } = options;
  checkSize("mixtureConditional: latent", latent);
  checkSize("mixtureConditional: components", components);
  checkPositiveNumber("mixtureConditional: initialScale", initialScale);
  const apart = (x: Tensor): Tensor => tf.reshape(x, [...x.shape.slice(0, -1), components, latent]);
  return perceptronConditional({
    ...options,
    name: "mixtureConditional",
    outputs: [components, components * latent, components * latent],
    start: [0, 0, Math.log(initialScale)],
    law: ([logits, means, logScales]) => {
      const normal = new Normal({ mean: apart(means!), scale: apart(exp(logScales!)) });
      return new Mixture({ logits: logits!, components: new Independent({ base: normal, eventRank: 1 }) });
    },
  });
}
