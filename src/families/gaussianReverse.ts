import { Independent } from "../distributions/independent.js";
import { Normal } from "../distributions/normal.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { jointMlp } from "../models/jointMlp.js";
import type { Activation, MlpParameters } from "../models/mlp.js";
import { exp } from "../ops/exp.js";
import { checkSize } from "./family.js";
import type { Mixing } from "./hierarchicalFamily.js";
import { type ReverseConditional, reverseOf } from "./reverseConditional.js";

/** Options of {@link gaussianReverse}. */
export interface GaussianReverseOptions {
  /** D, size of z. */
  readonly latent: number;
  /** Dψ, size of ψ. */
  readonly mixing: number;
  /** P, size of a datum, where τ looks at data. Default 0: it does not. */
  readonly observed?: number;
  /** Sizes of the hidden layers. */
  readonly hidden: readonly number[];
  /** Default "softplus". */
  readonly activation?: Activation;
  /**
   * Whether the network adds to the mixing law's mean and log-scale, its last layer starting at zero, so that τ starts as the Gaussian with the
   * moments of q(ψ | x): as q(ψ | x) itself, if that is Gaussian. Default true.
   */
  readonly fromMixing?: boolean;
  /** Whether one network of z_d alone, the same for all d, gives τ(ψ_d | z_d): for a q that factorises over d. Default false. */
  readonly elementwise?: boolean;
}

/**
 * τ(ψ | z, x; η) = N(ψ; m(z, x), diag s(z, x)²), from a perceptron (a, b) of (z, x).
 *
 * From the mixing law, with its mean μ and scale σ: m = μ + a, log s = log σ + b, where (a, b) starts at 0. The estimate of log q(z | x) then starts as
 * SIVI's (for a Gaussian q(ψ | x)) and departs from there. Otherwise m = a, log s = b.
 *
 * @throws Error if a size is not a positive integer, or elementwise is asked for with D ≠ Dψ or with data; when evaluated, if z or x has another
 *   width, or a τ from the mixing law meets one without moments.
 * Source: Sobolev & Vetrov 2019, section 3; Ranganath, Tran & Blei 2016, section 3.
 */
export function gaussianReverse(options: GaussianReverseOptions): ReverseConditional<MlpParameters> {
  const { latent, mixing, observed = 0, hidden, activation = "softplus", fromMixing = true } = options;
  const { elementwise = false } = options;
  checkSize("gaussianReverse: latent", latent);
  checkSize("gaussianReverse: mixing", mixing);
  if (elementwise && (latent !== mixing || observed > 0)) {
    throw new Error(
      `gaussianReverse: elementwise needs one ψ for each z and no data, not ${mixing} for ${latent} and ${observed} observed.`,
    );
  }
  const [input, output] = elementwise ? [1, 2] : [latent, 2 * mixing];
  const network = jointMlp({ input, context: observed, hidden, output, activation });
  return {
    reparameterised: true,
    init: (key) => (fromMixing ? withLastWeightsZero(network.init(key)) : network.init(key)),
    given: (eta, { hierarchy, z, x }) => {
      checkShape("gaussianReverse: z", z, ["*", "*", latent]);
      const raw = network.given(eta, x)(elementwise ? tf.expandDims(z, 3) : z);
      const [mean, logScale] = tf.split(raw, 2, -1).map((half) => (elementwise ? tf.squeeze(half, [3]) : half));
      const scale = exp(logScale);
      if (!fromMixing) return reverseOf(diagonal(mean, scale));
      const base = moments(hierarchy.mixing);
      return reverseOf(diagonal(tf.add(mean, base.mean), tf.mul(scale, base.scale)));
    },
  };
}

function diagonal(mean: Tensor, scale: Tensor): Independent<Normal> {
  return new Independent({ base: new Normal({ mean, scale }), eventRank: 1 });
}

/** The biases are zero already. */
function withLastWeightsZero({ layers }: MlpParameters): MlpParameters {
  const last = layers[layers.length - 1];
  const weights = tf.zerosLike(last.weights);
  last.weights.dispose();
  return { layers: [...layers.slice(0, -1), { ...last, weights }] };
}

function moments(mixing: Mixing): { readonly mean: Tensor; readonly scale: Tensor } {
  if (mixing.mean && mixing.variance) return { mean: mixing.mean(), scale: tf.sqrt(mixing.variance()) };
  throw new Error("gaussianReverse: this q(ψ | x) has no mean() and variance() to start from; use fromMixing: false.");
}
