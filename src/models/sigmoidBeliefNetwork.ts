import { bernoulli, type Key, split } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { bernoulliLogDensity } from "../ops/bernoulliLogDensity.js";
import { matMul } from "../ops/matMul.js";
import { sigmoid } from "../ops/sigmoid.js";
import { softplus } from "../ops/softplus.js";
import { logitOfMean } from "./logitOfMean.js";
import { type Activation, type MlpParameters, mlp, withOutputBias } from "./mlp.js";
import type { LatentVariableModel } from "./problem.js";

/** Options of {@link sigmoidBeliefNetwork}. */
export interface SigmoidBeliefNetworkOptions {
  /** Bits of each stochastic layer, from the data upwards: `[200]`, or `[200, 100]`. */
  readonly layers: readonly number[];
  /** P, number of observed bits. */
  readonly observed: number;
  /** Sizes of hidden (deterministic) layers between one layer of bits and the next below. Default none: linear. */
  readonly hidden?: readonly number[];
  /** Default "tanh". */
  readonly activation?: Activation;
}

/** Parameters of a {@link sigmoidBeliefNetwork}. */
export type SigmoidBeliefNetworkParameters = {
  /** Logits of the top layer's bits, `[D_L]`. */
  readonly prior: Tensor1D;
  /** What makes a layer's logits from the bits above: of x first, of the layer below the top last. */
  readonly decoders: readonly MlpParameters[];
};

/** A sigmoid belief network's generative half; the other half is a family, {@link amortisedBernoulli}. */
export interface SigmoidBeliefNetwork extends Required<LatentVariableModel<SigmoidBeliefNetworkParameters>> {
  /** P. */
  readonly observed: number;
  /**
   * Parameters to start from: even odds at the top, decoders as `mlp` makes them. Given the data, the logits of x start at those of each bit's mean.
   *
   * @throws Error if the data are not `[N, P]` with N ≥ 1.
   */
  init(key: Key, data?: Tensor2D): SigmoidBeliefNetworkParameters;
  /** Means of the observed bits, `[..., P]`, for latents `[..., D]`. */
  decode(theta: SigmoidBeliefNetworkParameters, z: Tensor): Tensor;
  /** n draws of all latents `[n, D]` from the model, from the top layer down. */
  sampleLatents(theta: SigmoidBeliefNetworkParameters, key: Key, n: number): Tensor2D;
  /** log p(x_b | z_g), `[G, B]`, for *every* pair of latents `[G, D]` and data `[B, P]`: x Wᵀ instead of G · B decodings. */
  logLikelihoodMatrix(theta: SigmoidBeliefNetworkParameters, z: Tensor2D, x: Tensor2D): Tensor2D;
}

/**
 * Layers of bits, each the logits of the one below: with z = (z¹, …, z^L), z¹ next to the data,
 *
 * p(x, z) = ∏_d Ber(z^L_d; σ(b_d)) · ∏_l ∏_d Ber(z^l_d; σ(MLP_l(z^{l+1})_d)) · ∏_p Ber(x_p; σ(MLP_0(z¹)_p)).
 *
 * All layers stand side by side in one latent vector of D = Σ_l D_l bits, z¹ first, so that a q of D bits goes with it. log p(x, z) continues
 * between 0 and 1 (cross-entropy in place of log p(z)) and can be differentiated there, as relaxations need.
 *
 * @throws Error if there is no layer, or as {@link mlp}.
 * Source: Neal 1992, "Connectionist learning of belief networks"; Mnih & Gregor 2014.
 */
export function sigmoidBeliefNetwork(options: SigmoidBeliefNetworkOptions): SigmoidBeliefNetwork {
  const { layers, observed, hidden = [], activation = "tanh" } = options;
  if (layers.length === 0)
    throw new Error("sigmoidBeliefNetwork: the list of layers is empty; give the number of bits of at least one.");
  const networks = layers.map((size, l) =>
    mlp({ sizes: [size, ...hidden, l === 0 ? observed : layers[l - 1]!], activation }),
  );
  const dimension = layers.reduce((sum, size) => sum + size, 0);
  /** The bits of layer l, `[..., D_l]`. */
  const layerOf = (z: Tensor, l: number): Tensor => {
    if (layers.length === 1) return z;
    const from = layers.slice(0, l).reduce((sum, size) => sum + size, 0);
    const lead = z.shape.slice(0, -1);
    return tf.slice(z, [...lead.map(() => 0), from], [...lead, layers[l]!]);
  };
  const logitsOf = (theta: SigmoidBeliefNetworkParameters, z: Tensor, l: number): Tensor =>
    networks[l]!.apply(theta.decoders[l]!, layerOf(z, l));
  const logPrior = (theta: SigmoidBeliefNetworkParameters, z: Tensor3D): Tensor2D =>
    tf.tidy(() => {
      checkShape("sigmoidBeliefNetwork: z", z, ["...", dimension]);
      const top = layers.length - 1;
      return layers
        .map((_, l) => {
          const logits = l === top ? theta.prior : logitsOf(theta, z, l + 1);
          return tf.sum(tf.sub(tf.mul(layerOf(z, l), logits), softplus(logits)), -1) as Tensor2D;
        })
        .reduce((sum, logP) => tf.add(sum, logP));
    });
  return {
    dimension,
    observed,
    init: (key, data) => {
      const keys = split(key, layers.length);
      const decoders = networks.map((network, l) => network.init(keys[l]!));
      const first = data
        ? withOutputBias(decoders[0]!, logitOfMean("sigmoidBeliefNetwork", data, observed))
        : decoders[0]!;
      return { prior: tf.zeros([layers[layers.length - 1]!]) as Tensor1D, decoders: [first, ...decoders.slice(1)] };
    },
    decode: (theta, z) => tf.tidy(() => sigmoid(logitsOf(theta, z, 0))),
    sampleLatents: (theta, key, n) =>
      tf.tidy(() => {
        const keys = split(key, layers.length);
        let above = bernoulli(keys[0]!, tf.sigmoid(theta.prior), [n]);
        let all = above;
        for (let l = layers.length - 1; l > 0; l--) {
          above = bernoulli(keys[l]!, tf.sigmoid(networks[l]!.apply(theta.decoders[l]!, above)));
          all = tf.concat([above, all], 1);
        }
        return all as Tensor2D;
      }),
    logJoint: (theta, z, x) => {
      checkShape("sigmoidBeliefNetwork: x", x, [z.shape[1], observed]);
      return tf.tidy(() => tf.add(logPrior(theta, z), bernoulliLogDensity(x, logitsOf(theta, z, 0), 1)) as Tensor2D);
    },
    logPrior,
    logLikelihoodMatrix: (theta, z, x) => {
      checkShape("sigmoidBeliefNetwork: x", x, ["*", observed]);
      return tf.tidy(() => {
        const logits = logitsOf(theta, z, 0) as Tensor2D;
        return tf.sub(matMul(logits, x, { transposeB: true }), tf.sum(softplus(logits), 1, true)) as Tensor2D;
      });
    },
  };
}
