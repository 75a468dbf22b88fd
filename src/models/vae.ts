import type { Key } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { bernoulliLogDensity } from "../ops/bernoulliLogDensity.js";
import { matMul } from "../ops/matMul.js";
import { normalLogDensity } from "../ops/normalLogDensity.js";
import { sigmoid } from "../ops/sigmoid.js";
import { softplus } from "../ops/softplus.js";
import { logitOfMean } from "./logitOfMean.js";
import { type Activation, type MlpParameters, mlp, withOutputBias } from "./mlp.js";
import type { LatentVariableModel } from "./problem.js";

/** Options of {@link vae}. */
export interface VaeOptions {
  /** D, size of the latent vector. */
  readonly latent: number;
  /** P, number of observed bits. */
  readonly observed: number;
  /** Sizes of the decoder's hidden layers, from the latent outwards. */
  readonly hidden: readonly number[];
  /** Default "tanh". */
  readonly activation?: Activation;
}

/** A variational autoencoder's generative half; the other half is a family, {@link amortisedGaussian}. */
export interface Vae extends Required<LatentVariableModel<MlpParameters>> {
  /** P. */
  readonly observed: number;
  /**
   * Decoder parameters. Given the data, the output bias starts at the logit of each bit's mean (clipped to [.001, .999]), so that
   * the untrained decoder knows the marginal frequencies.
   *
   * @throws Error if the data are not `[N, P]` with N ≥ 1.
   * Source: the initialisation of Burda, Grosse & Salakhutdinov's public code.
   */
  init(key: Key, data?: Tensor2D): MlpParameters;
  /** Logits of the bits, `[..., P]`, for latents `[..., D]`. */
  logits(theta: MlpParameters, z: Tensor): Tensor;
  /** Means of the bits, `[..., P]`: the picture that a latent stands for. */
  decode(theta: MlpParameters, z: Tensor): Tensor;
  /** log p(x_b | z_g), `[G, B]`, for *every* pair of latents `[G, D]` and data `[B, P]`: x Wᵀ instead of G · B decodings. */
  logLikelihoodMatrix(theta: MlpParameters, z: Tensor2D, x: Tensor2D): Tensor2D;
}

/**
 * p(x, z) = N(z; 0, I) ∏_p Bernoulli(x_p; logits = MLP(z)_p).
 *
 * Values of x between 0 and 1 are taken as they are (cross-entropy); binarise them for a likelihood.
 *
 * @throws Error as {@link mlp}.
 * Source: Kingma & Welling 2014, appendix C.1; Burda, Grosse & Salakhutdinov 2016, section 5.
 */
export function vae(options: VaeOptions): Vae {
  const { latent, observed, hidden, activation = "tanh" } = options;
  const decoder = mlp({ sizes: [latent, ...hidden, observed], activation });
  return {
    dimension: latent,
    observed,
    init: (key, data) => {
      const parameters = decoder.init(key);
      return data ? withOutputBias(parameters, logitOfMean("vae", data, observed)) : parameters;
    },
    logits: decoder.apply,
    decode: (theta, z) => tf.tidy(() => sigmoid(decoder.apply(theta, z))),
    logJoint: (theta, z: Tensor3D, x) => {
      checkShape("vae: x", x, [z.shape[1], observed]);
      return tf.tidy(
        () => tf.add(normalLogDensity(z, 0, 1, 1), bernoulliLogDensity(x, decoder.apply(theta, z), 1)) as Tensor2D,
      );
    },
    logPrior: (_theta, z) => normalLogDensity(z, 0, 1, 1) as Tensor2D,
    logLikelihoodMatrix: (theta, z, x) => {
      checkShape("vae: x", x, ["*", observed]);
      return tf.tidy(() => {
        const logits = decoder.apply(theta, z) as Tensor2D;
        const normaliser = tf.sum(softplus(logits), 1, true);
        return tf.sub(matMul(logits, x, { transposeB: true }), normaliser) as Tensor2D;
      });
    },
  };
}
