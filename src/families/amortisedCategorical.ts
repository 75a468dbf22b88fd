import { OneHotCategorical } from "../distributions/oneHotCategorical.js";
import { checkShape } from "../engine/shape.js";
import { tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { type MlpParameters, mlp } from "../models/mlp.js";
import type { AmortisedGaussianOptions } from "./amortisedGaussian.js";
import { type ConditionalFamily, checkSize } from "./family.js";
import { checkStates } from "./meanFieldCategorical.js";

/** Options of {@link amortisedCategorical}: those of an encoder, with N variables of C states in place of its latents. */
export interface AmortisedCategoricalOptions extends Omit<AmortisedGaussianOptions, "latent"> {
  /** N. */
  readonly variables: number;
  /** C ≥ 2, states of each. */
  readonly states: number;
}

/**
 * The categorical encoder: q(z | x; φ) = ∏_n Cat(z_n; softmax(l_n(x))), one-hot, with l a perceptron and draws of D = N·C numbers.
 *
 * @throws Error as {@link mlp}, if there are fewer than two states, and, when evaluated, if x is not `[B, P]`.
 * Source: Jang, Gu & Poole 2017, section 4.2.
 */
export function amortisedCategorical(options: AmortisedCategoricalOptions): ConditionalFamily<MlpParameters> {
  const { variables, states, observed, hidden, activation = "tanh" } = options;
  checkSize("amortisedCategorical: variables", variables);
  checkStates("amortisedCategorical", states);
  const encoder = mlp({ sizes: [observed, ...hidden, variables * states], activation });
  return {
    dimension: variables * states,
    init: encoder.init,
    distribution: (phi, x) => {
      checkShape("amortisedCategorical: x", x, ["*", observed]);
      return tidied(
        () => new OneHotCategorical({ logits: tf.reshape(encoder.apply(phi, x), [-1, variables, states]) }),
      );
    },
  };
}
