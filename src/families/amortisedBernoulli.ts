import { Bernoulli } from "../distributions/bernoulli.js";
import { Independent } from "../distributions/independent.js";
import { checkShape } from "../engine/shape.js";
import { tidied } from "../engine/values.js";
import { type MlpParameters, mlp } from "../models/mlp.js";
import type { AmortisedGaussianOptions } from "./amortisedGaussian.js";
import { type ConditionalFamily, checkSize } from "./family.js";

/**
 * The Bernoulli encoder: q(z | x; φ) = ∏_d Ber(z_d; σ(l_d(x))), with l a perceptron; no hidden layer makes it linear.
 *
 * For a model with several layers of bits `latent` is all of them together: q then looks at x alone, and its bits are independent given x.
 *
 * @throws Error as {@link mlp}, and, when evaluated, if x is not `[B, P]`.
 * Source: Mnih & Gregor 2014, "Neural variational inference and learning in belief networks".
 */
export function amortisedBernoulli(options: AmortisedGaussianOptions): ConditionalFamily<MlpParameters> {
  const { latent, observed, hidden, activation = "tanh" } = options;
  checkSize("amortisedBernoulli: latent", latent);
  const encoder = mlp({ sizes: [observed, ...hidden, latent], activation });
  return {
    dimension: latent,
    init: encoder.init,
    distribution: (phi, x) => {
      checkShape("amortisedBernoulli: x", x, ["*", observed]);
      return tidied(() => new Independent({ base: new Bernoulli({ logits: encoder.apply(phi, x) }), eventRank: 1 }));
    },
  };
}
