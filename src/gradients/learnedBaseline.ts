import { elbo } from "../bounds/elbo.js";
import type { Parameters } from "../engine/parameters.js";
import { checkShape } from "../engine/shape.js";
import { type Scalar, type Tensor, tf } from "../engine/tf.js";
import type { Problem } from "../models/problem.js";
import { stopGradient } from "../ops/stopGradient.js";
import { nameOf, type ScoreGradient, type ScoreOptions, scoreFunction, scoreGradient } from "./scoreFunction.js";

/** Options of {@link learnedBaseline}: `minusOne` of the score-function gradient that it takes the baseline off, or another gradient in its place. */
export type LearnedBaselineOptions =
  | (Pick<ScoreOptions, "minusOne"> & { readonly of?: undefined })
  | {
      /** The gradient to take the baseline off, without one of its own, in place of `scoreFunction`; `raoBlackwell()` composes, with a baseline for each factor. */
      readonly of: ScoreGradient;
      readonly minusOne?: undefined;
    };

/**
 * The score-function gradient less a baseline b_ψ(x) of each datum's own, which is learned by regression on the bound as it is seen:
 *
 * ∇_φ E L = E Σ_k [(L − b_ψ(x)) − c_k] ∇_φ log q(z_k; φ), and ψ moves along −½ ∇_ψ E (L − b_ψ(x))².
 *
 * (For the ELBO (log w_k − b_ψ(x))/K stands in place of L − b.) It serves with K = 1, where no sample has others to be compared with, and where the data's
 * bounds differ. Of a Rao-Blackwellised gradient each factor's signal has a baseline of its own, b_ψ(x) `[B, N]`, that is learned on the mean of that signal. `scoreControlVariate` takes it as its `of`.
 * The authors' division by a running standard deviation is left to the optimiser.
 *
 * Unbiased in φ and θ for every bound that `of` is unbiased for, for any ψ, since no draw enters b. ψ's own is the gradient of the regression, not of the bound, which does not depend on ψ.
 *
 * @throws Error if `of` has a baseline of its own or comes with `minusOne`, if the problem has no baseline, if its baseline is not of shape `[B]`, or `[B, N]` for N factors, or as `of`.
 * Source: Mnih & Gregor 2014, "Neural variational inference and learning in belief networks" (input-dependent baselines).
 */
export function learnedBaseline(options: LearnedBaselineOptions = {}): ScoreGradient {
  const { of = scoreFunction({ minusOne: options.minusOne }) } = options;
  if (options.of && options.minusOne !== undefined)
    throw new Error(
      "learnedBaseline: minusOne is the score-function gradient's, not that of another; give it to the gradient in `of`.",
    );
  if (of.hasBaseline)
    throw new Error(
      `learnedBaseline: ${of.name} has a baseline of its own, which leaves nothing for a second to learn; give \`of\` one without.`,
    );
  const terms: ScoreGradient["terms"] = (inputs) => {
    const { problem, bound, phi, samples } = inputs;
    const baseline = baselineOf(problem, phi);
    const found = of.terms(inputs);
    checkShape("learnedBaseline: the baseline", baseline, found.logQ.shape.slice(1));
    const share = bound === elbo ? 1 / samples : 1; // of the signal without a baseline, which sums to L over the draws for the ELBO alone
    const signal = stopGradient(() => tf.sub(found.signal, tf.mul(share, baseline)));
    const seen = stopGradient(() => (bound === elbo ? tf.sum(found.signal, 0) : found.value));
    const regression = tf.mul(-0.5, tf.sum(tf.square(tf.sub(seen, baseline))));
    return { ...found, signal, beside: regression as Scalar };
  };
  const name = options.of ? `learnedBaseline (${of.name})` : nameOf("learnedBaseline", options);
  return scoreGradient(name, of.standing, terms, {
    hasBaseline: true,
    scope: `${of.scope}, a baseline declared`,
  });
}

function baselineOf<Theta extends Parameters, Phi extends Parameters, Z>(
  problem: Problem<Theta, Phi, Z>,
  phi: Phi,
): Tensor {
  if ("baseline" in problem) return (problem as unknown as { baseline(psi: unknown): Tensor }).baseline(phi.baseline);
  throw new Error(
    "learnedBaseline: this problem has no baseline to learn; declare it by withLearnedBaseline({ problem, baseline }), or use scoreFunction.",
  );
}
