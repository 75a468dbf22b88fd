import type { Parameters } from "../engine/parameters.js";
import { type Key, split } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import type { NoParameters, Problem } from "./problem.js";

/**
 * The problem of a bound that is known in closed form, or estimated by draws of its own, so that `fit` climbs it: log w = L(φ; key), which every bound at K = 1 hands through.
 *
 * ```ts
 * await fit({ problem: objectiveProblem((phi) => collapsedBound(phi)), init: { phi }, bound: elbo, samples: 1, optimizer, steps, key });
 * ```
 *
 * With K > 1 the objective is evaluated with K keys; the ELBO takes their mean. There is no q to diagnose: what looks at the spread of log-weights has nothing to see.
 *
 * @param objective - L: a scalar, differentiable in φ; it need not look at the key.
 * @throws Error (when it is evaluated) if the objective returns anything but a scalar.
 */
export function objectiveProblem<Phi extends Parameters>(
  objective: (phi: Phi, key: Key) => Tensor,
): Problem<NoParameters, Phi, Tensor2D> {
  const values = (phi: Phi, key: Key, samples: number): Tensor2D =>
    tf.tidy(() => {
      const all = split(key, samples).map((each) => {
        const value = objective(phi, each);
        checkShape("objectiveProblem: what the objective returns", value, []);
        return tf.reshape(value, [1, 1]);
      });
      return (all.length === 1 ? all[0] : tf.concat(all, 0)) as Tensor2D;
    });
  return {
    batchSize: 1,
    scale: 1,
    sample: values,
    sampleWithLogQ: (phi, key, samples) =>
      tf.tidy(() => {
        const z = values(phi, split(key)[0], samples);
        return { z, logQ: tf.zerosLike(z), reparameterised: true };
      }),
    logP: (_theta, value) => tf.clone(value),
    logQ: (_phi, value) => tf.zerosLike(value),
  };
}
