import { elbo } from "../bounds/elbo.js";
import { type Scalar, type Tensor1D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { checkSamples } from "../models/problem.js";
import { stopGradient } from "../ops/stopGradient.js";
import { type DeclaredGradient, declareGradient, type Standing } from "./declared.js";
import { discreteOf } from "./discreteLatents.js";
import { relaxationOf } from "./relaxation.js";

/** Options of {@link gumbelSoftmax} and {@link straightThrough}. */
export interface RelaxationOptions {
  /**
   * τ > 0: towards 0 the bias goes and the variance grows without bound. To anneal it in `fit`, give the schedule there and make the gradient of it:
   * `schedules: { temperature: linear({ from: 1, to: 0.1, over: 1000 }) }, gradientAt: ({ temperature }) => gumbelSoftmax({ temperature })`.
   */
  readonly temperature: number | Scalar;
}

/**
 * The Gumbel-softmax (concrete) gradient of the ELBO for discrete latents: states are relaxed, bits to z = σ((l + logistic noise) / τ), one-hot categories to
 * z = softmax((l + Gumbel noise) / τ), and the path runs through them,
 *
 * ∇_φ L ≈ E ∇_φ log p(x, z; θ) + ∇_φ H(q), with the entropy in closed form.
 *
 * It needs a log p that can be evaluated, and differentiated, between the states. The value is that of the states, 1[z > ½] or the largest of z.
 *
 * Biased for the ELBO, in both records, since log p is taken where z is no state: of order τ as τ → 0, while the variance grows as 1/τ. `rebar` is unbiased.
 *
 * @throws Error for another bound, if the temperature is a number that is not positive, or if the problem's q is not declared to be Bernoulli or categorical.
 * Source: Jang, Gu & Poole 2017; Maddison, Mnih & Teh 2017, "The concrete distribution".
 */
export function gumbelSoftmax(options: RelaxationOptions): DeclaredGradient {
  return relaxed("gumbelSoftmax", options, {
    why: "its log p is that of a relaxed z, not of a state; use rebar (or arm, for bits), or lower the temperature.",
    hard: false,
  });
}

/**
 * The straight-through Gumbel-softmax gradient: log p at the states 1[z > ½], or at the largest of z, its derivative there handed to the relaxed z's path.
 *
 * It needs a log p that can be differentiated in the states.
 *
 * Biased for the ELBO in φ (`rebar` is unbiased), unbiased in θ. No temperature takes the bias away: for bits and τ → 0 the mean of log p's derivatives at 0 and at 1
 * stands for its change from 0 to 1, which is right for a log p that is quadratic in each bit.
 *
 * @throws Error as {@link gumbelSoftmax}.
 * Source: Bengio, Léonard & Courville 2013; Jang, Gu & Poole 2017.
 */
export function straightThrough(options: RelaxationOptions): DeclaredGradient {
  return relaxed("straightThrough", options, {
    why: "the derivative of log p at a state is not its change from one state to another; use rebar (or arm, for bits).",
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
  return declareGradient(
    name,
    standing,
    ({ problem: given, theta, phi, samples, key }) => {
      checkSamples(samples);
      const problem = discreteOf(name, given);
      return tidied(() => {
        const logits = problem.logits(phi);
        const relaxation = relaxationOf(logits);
        const noisy = relaxation.noisy(logits, key, samples);
        const soft = relaxation.relax(noisy, temperature);
        const state = stopGradient(() => relaxation.harden(noisy));
        const z = hard ? (tf.add(state, tf.sub(soft, stopGradient(soft))) as Tensor3D) : soft;
        const entropy = relaxation.entropy(logits);
        const logP = problem.logP(theta, z);
        const atState = hard ? logP : stopGradient(() => problem.logP(theta, state));
        const climbed = tf.add(tf.sum(tf.mean(logP, 0)), tf.sum(entropy));
        return {
          value: tf.add(tf.mean(atState, 0), entropy) as Tensor1D,
          surrogate: tf.mul(problem.scale, climbed) as Scalar,
        };
      });
    },
    "bits or categories, log p between the states too",
  );
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
