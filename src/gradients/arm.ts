import { elbo } from "../bounds/elbo.js";
import { split, uniform } from "../engine/random.js";
import { type Scalar, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { checkSamples } from "../models/problem.js";
import { stopGradient } from "../ops/stopGradient.js";
import { type DeclaredGradient, declareGradient, unbiased } from "./declared.js";
import { bernoulliOf } from "./discreteLatents.js";

/**
 * The augment–REINFORCE–merge gradient (ARM) of the ELBO for Bernoulli latents: with f(z) = log p(x, z; θ) − log q(z; φ) and u uniform on (0, 1)^N,
 *
 * ∂L/∂l_n = E [f(1[u > σ(−l)]) − f(1[u < σ(l)])] (u_n − ½).
 *
 * Both states are draws of q, made of the same u in opposite directions; where they agree nothing is added. It needs neither a relaxation of log p nor a
 * baseline, and evaluates log p 2K times. θ's gradient and the value are the mean over all 2K.
 *
 * Unbiased for the ELBO.
 *
 * @throws Error for another bound, or if the problem's q is not declared to be Bernoulli.
 * Source: Yin & Zhou 2019, "ARM: Augment-REINFORCE-merge gradient for stochastic binary networks".
 */
export const arm: DeclaredGradient = declareGradient(
  "arm",
  (bound) =>
    bound === elbo
      ? unbiased
      : {
          verdict: "refused",
          why: "it swaps the states of one draw within an expectation, which a bound of K weights is not; use scoreFunction({ baseline: vimco }), or bound: elbo.",
        },
  ({ problem: given, bound, theta, phi, samples, key }) => {
    checkSamples(samples);
    const problem = bernoulliOf("arm", given);
    return tidied(() => {
      const [draw, estimate] = split(key);
      const logits = problem.logits(phi);
      const u = uniform(draw, [samples, ...logits.shape]) as Tensor3D;
      const z = stopGradient(() => {
        const [up, down] = [tf.greater(u, tf.sigmoid(tf.neg(logits))), tf.less(u, tf.sigmoid(logits))];
        return tf.cast(tf.concat([up, down], 0), "float32") as Tensor3D;
      });
      const logQ = stopGradient(() => problem.logQ(phi, z, estimate));
      const logW = tf.sub(problem.logP(theta, z), logQ) as Tensor2D;
      const slope = stopGradient(() => {
        const [first, second] = tf.split(logW, 2, 0);
        const difference = tf.expandDims(tf.sub(first, second), 2);
        return tf.mean(tf.mul(difference, tf.sub(u, 0.5)), 0) as Tensor2D;
      });
      const value = bound.value(logW);
      const climbed = tf.add(tf.sum(tf.mul(slope, logits)), tf.sum(value));
      return { value, surrogate: tf.mul(problem.scale, climbed) as Scalar };
    });
  },
  "bits",
);
