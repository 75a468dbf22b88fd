import { elbo } from "../bounds/elbo.js";
import { Bernoulli } from "../distributions/bernoulli.js";
import { gumbel, split } from "../engine/random.js";
import { type Scalar, type Tensor1D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { checkSamples } from "../models/problem.js";
import { sigmoid } from "../ops/sigmoid.js";
import { stopGradient } from "../ops/stopGradient.js";
import { bernoulliOf } from "./arm.js";
import { type DeclaredGradient, declareGradient, type Standing } from "./declared.js";

/** Options of {@link gumbelSoftmax} and {@link straightThrough}. */
export interface RelaxationOptions {
  /**
   * τ > 0: towards 0 the bias goes and the variance grows without bound. To anneal it in `fit`, give the schedule there and make the gradient of it:
   * `schedules: { temperature: linear({ from: 1, to: 0.1, over: 1000 }) }, gradientAt: ({ temperature }) => gumbelSoftmax({ temperature })`.
   */
  readonly temperature: number | Scalar;
}

/**
 * The Gumbel-softmax (concrete) gradient of the ELBO for Bernoulli latents: bits are relaxed to z = σ((l + logistic noise) / τ), through which the path runs,
 *
 * ∇_φ L ≈ E ∇_φ log p(x, z; θ) + ∇_φ H(q), with the entropy in closed form.
 *
 * It needs a log p that can be evaluated, and differentiated, between 0 and 1. The value is that of the bits, 1[z > ½].
 *
 * Biased for the ELBO, in both records, since log p is taken where z is no bit: `arm` is unbiased.
 *
 * @throws Error for another bound, if the temperature is a number that is not positive, or if the problem's q is not declared to be Bernoulli.
 * Source: Jang, Gu & Poole 2017; Maddison, Mnih & Teh 2017, "The concrete distribution".
 */
export function gumbelSoftmax(options: RelaxationOptions): DeclaredGradient {
  return relaxed("gumbelSoftmax", options, {
    why: "its log p is that of a relaxed z, not of a bit; use arm, or lower the temperature.",
    hard: false,
  });
}

/**
 * The straight-through Gumbel-softmax gradient: log p at the bits 1[z > ½], its derivative there handed to the relaxed z's path.
 *
 * It needs a log p that can be differentiated in the bits.
 *
 * Biased for the ELBO in φ (`arm` is unbiased), unbiased in θ.
 *
 * @throws Error as {@link gumbelSoftmax}.
 * Source: Bengio, Léonard & Courville 2013; Jang, Gu & Poole 2017.
 */
export function straightThrough(options: RelaxationOptions): DeclaredGradient {
  return relaxed("straightThrough", options, {
    why: "the derivative of log p in a bit is not the change from 0 to 1; use arm.",
    hard: true,
  });
}

function relaxed(
  name: string,
  { temperature }: RelaxationOptions,
  { why, hard }: { readonly why: string; readonly hard: boolean },
): DeclaredGradient {
  checkTemperature(name, temperature);
  const standing = (bound: typeof elbo): Standing => {
    if (bound === elbo) return { verdict: "biased", why };
    return {
      verdict: "refused",
      why: "its entropy in closed form belongs to the ELBO alone; use scoreFunction({ baseline: vimco }), or bound: elbo.",
    };
  };
  return declareGradient(name, standing, ({ problem: given, theta, phi, samples, key }) => {
    checkSamples(samples);
    const problem = bernoulliOf(name, given);
    return tidied(() => {
      const logits = problem.logits(phi);
      const [one, other] = split(key).map((half) => gumbel(half, [samples, ...logits.shape]));
      const soft = sigmoid(tf.div(tf.add(logits, tf.sub(one, other)), temperature)) as Tensor3D;
      const bits = stopGradient(() => tf.cast(tf.greater(soft, 0.5), "float32") as Tensor3D);
      const z = hard ? (tf.add(bits, tf.sub(soft, stopGradient(soft))) as Tensor3D) : soft;
      const entropy = tf.sum(new Bernoulli({ logits }).entropy(), -1) as Tensor1D;
      const logP = problem.logP(theta, z);
      const atBits = hard ? logP : stopGradient(() => problem.logP(theta, bits));
      const climbed = tf.add(tf.sum(tf.mean(logP, 0)), tf.sum(entropy));
      return {
        value: tf.add(tf.mean(atBits, 0), entropy) as Tensor1D,
        surrogate: tf.mul(problem.scale, climbed) as Scalar,
      };
    });
  });
}

/**
 * @throws Error if a temperature that is a number is not positive and finite.
 *
 * @internal
 */
export function checkTemperature(name: string, temperature: number | Scalar): void {
  if (typeof temperature === "number" && !(temperature > 0 && Number.isFinite(temperature))) {
    throw new Error(`${name}: the temperature must be a positive number, not ${temperature}; .5 is a common start.`);
  }
}
