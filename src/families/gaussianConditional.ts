import { Independent } from "../distributions/independent.js";
import { Normal } from "../distributions/normal.js";
import { type Tensor1D, tf } from "../engine/tf.js";
import { jointMlp } from "../models/jointMlp.js";
import type { Activation, MlpParameters } from "../models/mlp.js";
import { exp } from "../ops/exp.js";
import { checkSize } from "./family.js";
import type { Conditional } from "./hierarchical.js";

/** Parameters of {@link gaussianConditional}. */
export type GaussianConditionalParameters = {
  /** The network of (ψ, x): μ, and behind it s where the scale is "network". */
  readonly network: MlpParameters;
  /** `[D]`: log σ, or what is added to s. */
  readonly logScale: Tensor1D;
};

/** Options of {@link gaussianConditional}. */
export interface GaussianConditionalOptions {
  /** D, size of z. */
  readonly latent: number;
  /** Dψ, size of ψ. */
  readonly mixing: number;
  /** P, size of a datum, where q looks at data. Default 0: it does not. */
  readonly observed?: number;
  /** Sizes of the hidden layers. */
  readonly hidden: readonly number[];
  /** Default "relu". */
  readonly activation?: Activation;
  /** "free": one σ a coordinate, the same for all ψ and x; "network": σ(ψ, x) is the network's too. Default "free". */
  readonly scale?: "free" | "network";
  /** σ to start from (where the network adds to it: for s = 0). Default 0.5. */
  readonly initialScale?: number;
}

/**
 * q(z | ψ, x) = N(z; μ(ψ, x), diag σ²), with μ, and σ if so asked, from a perceptron of (ψ, x).
 *
 * @throws Error if a size is not a positive integer or `initialScale` is not positive; when evaluated, if ψ or x has another width.
 * Source: Titsias & Ruiz 2019, section 2 (q(z | ε) with a free diagonal); Sobolev & Vetrov 2019, section 6 (both from the network).
 */
export function gaussianConditional(options: GaussianConditionalOptions): Conditional<GaussianConditionalParameters> {
  const { latent, mixing, observed = 0, hidden, activation = "relu", scale = "free", initialScale = 0.5 } = options;
  checkSize("gaussianConditional: latent", latent);
  checkSize("gaussianConditional: mixing", mixing);
  if (!(initialScale > 0)) throw new Error(`gaussianConditional: initialScale must be positive, not ${initialScale}.`);
  const own = scale === "network";
  const network = jointMlp({ input: mixing, context: observed, hidden, output: own ? 2 * latent : latent, activation });
  return {
    dimension: latent,
    mixingDimension: mixing,
    init: (key) => ({ network: network.init(key), logScale: tf.fill([latent], Math.log(initialScale)) as Tensor1D }),
    given: (parameters, x) => {
      const apply = network.given(parameters.network, x);
      return (psi) => {
        const output = apply(psi);
        if (!own) return diagonal(output, exp(parameters.logScale));
        const [mean, logScale] = tf.split(output, 2, -1);
        return diagonal(mean, exp(tf.add(logScale, parameters.logScale)));
      };
    },
  };
}

function diagonal(mean: tf.Tensor, scale: tf.Tensor): Independent<Normal> {
  return new Independent({ base: new Normal({ mean, scale }), eventRank: 1 });
}
