import { valueAndGradient } from "../engine/gradient.js";
import { onOwnTape } from "../engine/ownTape.js";
import { mapParameters } from "../engine/parameters.js";
import { type Scalar, type Tensor2D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { logWeightsOf, timesKlWeight } from "../models/klWeight.js";
import { type DeclaredGradient, declareGradient, unbiased } from "./declared.js";
import { drawsAsRecord, heldAlong } from "./held.js";
import { drawPath } from "./pathDerivative.js";

/**
 * The doubly reparameterised gradient of any bound (DReG): the score of log q is itself reparameterised, which leaves the path alone, with another weight,
 *
 * ∇_φ L = E Σ_k (c_k − d_k) ∂log w_k/∂z ∇_φ z_k,  ∇_θ L = E Σ_k c_k ∇_θ log p(x, z_k; θ).
 *
 * (With a problem's `klWeight` β, c − β d.) For IWAE c − d = w̃², for the ELBO 1/K: there it is the path derivative. Its signal-to-noise ratio for φ does not fall with K under IWAE, where the
 * reparameterised gradient's does. It evaluates log q once more, at φ held; p once.
 *
 * Unbiased for every bound. A bound whose c vanishes where its d does not is not for it.
 *
 * @throws Error if no gradient flows through q's draws, if the problem does not say that one does, or if log q is a marginal's estimate.
 * Source: Tucker et al. 2019, "Doubly reparameterized gradient estimators for Monte Carlo objectives". For any bound:
 * E[c ∇ log q(z)] = E[d ∂log w/∂z ∇z], the reparameterisation of the score.
 */
export const doublyReparameterised: DeclaredGradient = declareGradient(
  "doublyReparameterised",
  () => unbiased,
  ({ problem, bound, theta, phi, samples, key }) =>
    tidied(() => {
      const { z, estimate } = drawPath("doublyReparameterised", problem, { phi, samples, key });
      const { record, restore } = drawsAsRecord(z);
      const { value, model, path } = onOwnTape(() => {
        let kept: Tensor2D | undefined;
        try {
          const { gradient } = valueAndGradient(
            (at) => {
              const draws = restore(at.draws);
              kept = tf.keep(logWeightsOf(problem, problem.logP(at.theta, draws), problem.logQ(phi, draws, estimate)));
              return tf.sum(bound.value(kept));
            },
            { theta, draws: record },
          );
          const logW = kept as Tensor2D;
          const c = bound.weights(logW);
          const factor = tf.divNoNan(tf.sub(c, timesKlWeight(problem, bound.curvature(logW))), c);
          return {
            value: bound.value(logW),
            model: gradient.theta,
            // The derivative in a draw carries c; times (c − d)/c that is c − d.
            path: mapParameters(gradient.draws, (slope) =>
              tf.mul(tf.reshape(factor, [...factor.shape, ...slope.shape.slice(2).map(() => 1)]), slope),
            ),
          };
        } finally {
          kept?.dispose(); // a kept tensor would outlive the scopes of whoever called
        }
      });
      return {
        value,
        surrogate: tf.mul(problem.scale, tf.add(heldAlong(model, theta), heldAlong(path, record))) as Scalar,
      };
    }),
  "draws with a path, log q exact",
);
