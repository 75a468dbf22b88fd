import { Independent } from "../distributions/independent.js";
import { Normal } from "../distributions/normal.js";
import { type Tensor, tf } from "../engine/tf.js";
import type { MlpParameters } from "../models/mlp.js";
import { exp } from "../ops/exp.js";
import type { Mixing } from "./hierarchicalFamily.js";
import { perceptronReverse, type ReversePerceptronOptions } from "./perceptronReverse.js";
import { type ReverseConditional, reverseOf } from "./reverseConditional.js";

/** Options of {@link gaussianReverse}. */
export interface GaussianReverseOptions extends ReversePerceptronOptions {
  /**
   * Whether the network adds to the mixing law's mean and log-scale, its last layer starting at zero, so that τ starts as the Gaussian with the
   * moments of q(ψ | x): as q(ψ | x) itself, if that is Gaussian. Default true.
   */
  readonly fromMixing?: boolean;
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
  const { fromMixing = true } = options;
  return perceptronReverse({
    ...options,
    name: "gaussianReverse",
    outputs: 2,
    ...(fromMixing && { start: [0, 0] }),
    law: ([mean, logScale], { hierarchy }) => {
      const scale = exp(logScale!);
      if (!fromMixing) return reverseOf(diagonal(mean!, scale));
      const base = moments(hierarchy.mixing);
      return reverseOf(diagonal(tf.add(mean!, base.mean), tf.mul(scale, base.scale)));
    },
  });
}

function diagonal(mean: Tensor, scale: Tensor): Independent<Normal> {
  return new Independent({ base: new Normal({ mean, scale }), eventRank: 1 });
}

function moments(mixing: Mixing): { readonly mean: Tensor; readonly scale: Tensor } {
  if (mixing.mean && mixing.variance) return { mean: mixing.mean(), scale: tf.sqrt(mixing.variance()) };
  throw new Error("gaussianReverse: this q(ψ | x) has no mean() and variance() to start from; use fromMixing: false.");
}
