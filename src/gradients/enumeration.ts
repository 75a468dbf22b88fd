import { elbo } from "../bounds/elbo.js";
import { type Scalar, type Tensor1D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { allStates } from "../models/allStates.js";
import { stopGradient } from "../ops/stopGradient.js";
import { type DeclaredGradient, declareGradient, unbiased } from "./declared.js";
import { discreteOf } from "./discreteLatents.js";

/**
 * The exact gradient of the ELBO for a few discrete latents, with no draw at all: a sum over all states,
 *
 * L = Σ_z q(z | x; φ) (log p(x, z; θ) − log q(z | x; φ)), 2^N terms for bits, C^N for N variables of C states.
 *
 * What the estimators are held to, and what a fit would be if gradients had no noise. It evaluates log p at every state whatever K; the number of draws and the key
 * are not used.
 *
 * Unbiased for the ELBO, without variance.
 *
 * @throws Error for another bound, if there are more than 2¹⁶ states, or if the problem's q is not declared to be Bernoulli or categorical.
 */
export const enumeration: DeclaredGradient = declareGradient(
  "enumeration",
  (bound) =>
    bound === elbo
      ? unbiased
      : {
          verdict: "refused",
          why: "it sums over one draw's states, and the bound of K weights is a sum over those of K; use scoreFunction({ baseline: vimco }), or bound: elbo.",
        },
  ({ problem: given, theta, phi, key }) => {
    const problem = discreteOf("enumeration", given);
    return tidied(() => {
      const [batch, variables, states] = problem.logits(phi).shape;
      const z = stopGradient(() => {
        const each = allStates("enumeration", variables, states);
        return tf.tile(tf.expandDims(each, 1), [1, batch, 1]) as Tensor3D;
      });
      const logQ = problem.logQ(phi, z, key);
      const value = tf.sum(tf.mul(tf.exp(logQ), tf.sub(problem.logP(theta, z), logQ)), 0) as Tensor1D;
      return { value, surrogate: tf.mul(problem.scale, tf.sum(value)) as Scalar };
    });
  },
  "a few bits or categories",
);
