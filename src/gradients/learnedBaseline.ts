import { elbo } from "../bounds/elbo.js";
import type { Parameters } from "../engine/parameters.js";
import { checkShape } from "../engine/shape.js";
import { type Scalar, type Tensor, type Tensor1D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { Problem } from "../models/problem.js";
import { stopGradient } from "../ops/stopGradient.js";
import { type DeclaredGradient, declareGradient } from "./declared.js";
import { nameOf, type ScoreOptions, scoreFunction } from "./scoreFunction.js";

/**
 * The score-function gradient less a baseline b_ψ(x) of each datum's own, which is learned by regression on the bound as it is seen:
 *
 * ∇_φ E L = E Σ_k [(L − b_ψ(x)) − c_k] ∇_φ log q(z_k; φ), and ψ moves along −½ ∇_ψ E (L − b_ψ(x))².
 *
 * (For the ELBO (log w_k − b_ψ(x))/K stands in place of L − b.) It serves with K = 1, where no sample has others to be compared with, and where the data's
 * bounds differ. The authors' division by a running standard deviation is left to the optimiser.
 *
 * Unbiased in φ and θ for every bound, for any ψ, since no draw enters b. ψ's own is the gradient of the regression, not of the bound, which does not depend on ψ.
 *
 * @throws Error if the problem has no baseline, if its baseline is not of shape `[B]`, or as `scoreFunction`.
 * Source: Mnih & Gregor 2014, "Neural variational inference and learning in belief networks" (input-dependent baselines).
 */
export function learnedBaseline(options: Pick<ScoreOptions, "minusOne"> = {}): DeclaredGradient {
  const of = scoreFunction(options);
  return declareGradient(
    nameOf("learnedBaseline", options),
    of.standing,
    (inputs) =>
      tidied(() => {
        const { problem, bound, phi, samples } = inputs;
        const baseline = baselineOf(problem, phi);
        checkShape("learnedBaseline: the baseline", baseline, [problem.batchSize]);
        const { logQ, signal, value } = of.terms(inputs);
        const share = bound === elbo ? 1 / samples : 1; // of the signal without a baseline, which sums to L over the draws for the ELBO alone
        const centred = stopGradient(() => tf.sub(signal, tf.mul(share, baseline)));
        const regression = tf.mul(-0.5, tf.sum(tf.square(tf.sub(stopGradient(value), baseline))));
        const climbed = tf.add(tf.add(tf.sum(tf.mul(centred, logQ)), tf.sum(value)), regression);
        return { value, surrogate: tf.mul(problem.scale, climbed) as Scalar };
      }),
    "any q, a baseline declared",
  );
}

function baselineOf<Theta extends Parameters, Phi extends Parameters, Z>(
  problem: Problem<Theta, Phi, Z>,
  phi: Phi,
): Tensor1D {
  if ("baseline" in problem)
    return (problem as unknown as { baseline(psi: unknown): Tensor }).baseline(phi.baseline) as Tensor1D;
  throw new Error(
    "learnedBaseline: this problem has no baseline to learn; declare it by withLearnedBaseline({ problem, baseline }), or use scoreFunction.",
  );
}
