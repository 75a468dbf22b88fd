import { elbo } from "../bounds/elbo.js";
import type { Parameters } from "../engine/parameters.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import type { FactorisedProblem } from "../models/factorisedProblem.js";
import { refuseKlWeight } from "../models/klWeight.js";
import type { Problem } from "../models/problem.js";
import { stopGradient } from "../ops/stopGradient.js";
import { noBaseline } from "./baselines.js";
import { type Standing, unbiased } from "./declared.js";
import {
  checkScoreSamples,
  drawHeld,
  keepsMinusOne,
  nameOf,
  type ScoreGradient,
  type ScoreOptions,
  scoreGradient,
} from "./scoreFunction.js";

/**
 * The Rao-Blackwellised score-function gradient of the ELBO: each factor's score meets only the terms that hold its own latent,
 *
 * ∇_φ L = E (1/K) Σ_k Σ_n ∇_φ log q_n(z_kn; φ) [log p_n(x, z_k) − log q_n(z_kn; φ) − b_kn],
 *
 * with log p_n the terms of log p over the Markov blanket of z_n, as the problem's `factors` declare them. What is left out has mean zero given the
 * rest. For bounded blankets the variance of a component does not grow with the number of factors; without, it does. A baseline works on each factor by itself.
 *
 * Unbiased for the ELBO, if q(z) = ∏_n q_n(z_n).
 *
 * @throws Error for another bound, if the problem declares no factors or their shapes are not `[K, B, N]`, or as `scoreFunction`.
 * Source: Ranganath, Gerrish & Blei 2014, section 3.1.
 */
export function raoBlackwell(options: ScoreOptions = {}): ScoreGradient {
  const { baseline = noBaseline } = options;
  const terms: ScoreGradient["terms"] = ({ problem, bound, theta, phi, samples, key }) => {
    checkScoreSamples("raoBlackwell", samples, baseline);
    refuseKlWeight("raoBlackwell", problem);
    const factors = factorsOf(problem);
    const { z, estimate } = drawHeld("raoBlackwell", problem, { phi, samples, key });
    const { logP, logQ } = factors(theta, phi, z);
    checkShape("raoBlackwell: the factors' logP", logP, [samples, problem.batchSize, "*"]);
    checkShape("raoBlackwell: the factors' logQ", logQ, logP.shape);
    const signal = stopGradient(() => {
      const columns = tf.reshape(tf.sub(logP, logQ), [samples, -1]) as Tensor2D;
      const signal = baseline.signal(elbo, columns);
      const kept = keepsMinusOne(options, elbo) ? tf.sub(signal, elbo.weights(columns)) : signal;
      return tf.reshape(kept, logP.shape) as Tensor3D;
    });
    const total = stopGradient(() => problem.logQ(phi, z, estimate));
    const value = bound.value(tf.sub(problem.logP(theta, z), total) as Tensor2D);
    return { z, logQ, signal, value, density: (at, draws) => factors(theta, at, draws).logQ };
  };
  return scoreGradient(
    nameOf("raoBlackwell", options),
    (bound): Standing => {
      if (bound === elbo) return unbiased;
      return {
        verdict: "refused",
        why: "a bound other than the ELBO is no sum over factors, so no term drops out of a factor's signal; use scoreFunction({ baseline: vimco }), or bound: elbo.",
      };
    },
    terms,
    { hasBaseline: baseline !== noBaseline, scope: "q a product, Markov blankets declared" },
  );
}

function factorsOf<Theta extends Parameters, Phi extends Parameters, Z>(
  problem: Problem<Theta, Phi, Z>,
): FactorisedProblem<Theta, Phi, Z>["factors"] {
  if ("factors" in problem) return (problem as FactorisedProblem<Theta, Phi, Z>).factors;
  throw new Error(
    "raoBlackwell: this problem does not declare its Markov blankets; declare them by withFactors({ problem, factors }), or use scoreFunction.",
  );
}
