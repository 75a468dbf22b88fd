import { Independent } from "../distributions/independent.js";
import { Normal } from "../distributions/normal.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { type Activation, type MlpParameters, mlp } from "../models/mlp.js";
import { exp } from "../ops/exp.js";
import { type ConditionalFamily, checkSize } from "./family.js";

/** Options of {@link amortisedGaussian}. */
export interface AmortisedGaussianOptions {
  /** D, size of the latent vector. */
  readonly latent: number;
  /** P, size of a datum. */
  readonly observed: number;
  /** Sizes of the encoder's hidden layers, from the data inwards. */
  readonly hidden: readonly number[];
  /** Default "tanh". */
  readonly activation?: Activation;
}

/**
 * The Gaussian encoder: q(z | x; φ) = N(z; μ(x), diag σ(x)²), with (μ, log σ) the two halves of a perceptron's output.
 *
 * @throws Error as {@link mlp}, and, when evaluated, if x is not `[B, P]`.
 * Source: Kingma & Welling 2014, appendix C.2.
 */
export function amortisedGaussian(options: AmortisedGaussianOptions): ConditionalFamily<MlpParameters> {
  const { latent, observed, hidden, activation = "tanh" } = options;
  checkSize("amortisedGaussian: latent", latent);
  const encoder = mlp({ sizes: [observed, ...hidden, 2 * latent], activation });
  return {
    dimension: latent,
    init: encoder.init,
    distribution: (phi, x) => {
      checkShape("amortisedGaussian: x", x, ["*", observed]);
      return tidied(() => {
        const [mean, logScale] = tf.split(encoder.apply(phi, x) as Tensor2D, 2, 1);
        return new Independent({ base: new Normal({ mean, scale: exp(logScale) }), eventRank: 1 });
      });
    },
  };
}
