import { MultivariateNormal } from "../distributions/multivariateNormal.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import { jointMlp } from "../models/jointMlp.js";
import type { MlpParameters } from "../models/mlp.js";
import { checkSize } from "./family.js";
import { choleskyFactor } from "./fullRankGaussian.js";
import type { GaussianConditionalOptions } from "./gaussianConditional.js";
import type { Conditional } from "./hierarchical.js";

/** Parameters of {@link fullRankConditional}. */
export type FullRankConditionalParameters = {
  /** The network of (ψ, x): μ. */
  readonly network: MlpParameters;
  /** `[D, D]`: below the diagonal the entries of L, on it the logarithms of L's; what is above is not read. */
  readonly logCholesky: Tensor2D;
};

/**
 * q(z | ψ, x) = N(z; μ(ψ, x), L Lᵀ), with μ from a perceptron of (ψ, x) and one lower-triangular L, the same for all ψ and x.
 *
 * A semi-implicit q on it begins where the full-rank Gaussian ends: ψ is left to say what no Gaussian can. On a diagonal conditional ψ must carry every correlation
 * first. A density costs D² instead of D.
 *
 * @throws Error if a size is not a positive integer or `initialScale` is not positive; when evaluated, if ψ or x has another width.
 * Source: Yin & Zhou 2018, "Semi-implicit variational inference", the experiment on Bayesian logistic regression.
 */
export function fullRankConditional(
  options: Omit<GaussianConditionalOptions, "scale">,
): Conditional<FullRankConditionalParameters> {
  const { latent, mixing, observed = 0, hidden, activation = "relu", initialScale = 0.5 } = options;
  checkSize("fullRankConditional: latent", latent);
  checkSize("fullRankConditional: mixing", mixing);
  if (!(initialScale > 0)) throw new Error(`fullRankConditional: initialScale must be positive, not ${initialScale}.`);
  const network = jointMlp({ input: mixing, context: observed, hidden, output: latent, activation });
  return {
    dimension: latent,
    mixingDimension: mixing,
    init: (key) => ({
      network: network.init(key),
      logCholesky: tf.tidy(() => tf.mul(tf.eye(latent), Math.log(initialScale)) as Tensor2D),
    }),
    given: (parameters, x) => {
      const mean = network.given(parameters.network, x);
      const scaleTril = tf.tidy(() => tf.squeeze(choleskyFactor(tf.expandDims(parameters.logCholesky, 0)), [0]));
      return (psi) => new MultivariateNormal({ mean: mean(psi), scaleTril });
    },
  };
}
