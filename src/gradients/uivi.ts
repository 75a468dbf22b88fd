import { elbo } from "../bounds/elbo.js";
import type { Parameters } from "../engine/parameters.js";
import { split } from "../engine/random.js";
import { type Scalar, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { HierarchicalParameters, HierarchicalProblem } from "../marginals/hierarchicalProblem.js";
import { type HierarchicalDraws, sampleHierarchy } from "../marginals/marginal.js";
import { marginalScore, type ReverseSampler } from "../marginals/reverseSampler.js";
import { logWeightsOf } from "../models/klWeight.js";
import { checkSamples, type Problem } from "../models/problem.js";
import { stopGradient } from "../ops/stopGradient.js";
import { type DeclaredGradient, declareGradient } from "./declared.js";

/** What {@link uivi} trains as its φ: q, what reports need (τ), and the sampler's own (for HMC, its step size). */
export type UiviParameters<
  Phi extends Parameters,
  Eta extends Parameters,
  Own extends Parameters,
> = HierarchicalParameters<Phi, Eta> & { readonly reverse: Own };

/** A hierarchical problem that knows how to draw from its reverse conditional. */
export interface UiviProblem<
  Theta extends Parameters,
  Phi extends Parameters,
  Eta extends Parameters,
  Own extends Parameters,
> extends Problem<Theta, UiviParameters<Phi, Eta, Own>, HierarchicalDraws>,
    Pick<HierarchicalProblem<Theta, Phi, Eta>, "marginal" | "x" | "hierarchy"> {
  /** How ψ′ ~ q(ψ | z, x) is drawn. */
  readonly reverse: ReverseSampler<Own>;
}

/**
 * Adds to a hierarchical problem what {@link uivi} needs: a sampler of q(ψ | z, x).
 *
 * The problem's marginal is for reports alone (`sivi({ samples: 0 })` costs nothing); the gradient does not look at it.
 *
 * ```ts
 * const marginal = sivi({ samples: 10 });
 * const reverse = hmcReverseSampler();
 * const problem = uiviProblem({ problem: hierarchicalDensityProblem({ logDensity, family, marginal }), reverse });
 * const { phi } = await fit({
 *   problem, init: { phi: { ...initialParameters(family, marginal, key), reverse: reverse.init(key) } },
 *   bound: elbo, gradient: uivi, samples: 64, optimizer, steps, key,
 * });
 * ```
 */
export function uiviProblem<
  Theta extends Parameters,
  Phi extends Parameters,
  Eta extends Parameters,
  Own extends Parameters,
>(options: {
  readonly problem: HierarchicalProblem<Theta, Phi, Eta>;
  readonly reverse: ReverseSampler<Own>;
}): UiviProblem<Theta, Phi, Eta, Own> {
  return { ...options.problem, reverse: options.reverse };
}

/**
 * The gradient of the ELBO of a hierarchical q(z | x), by the score of its intractable density: with z = h(u; ψ_0; φ),
 *
 * ∇_φ L = E[∇_z (log p(x, z) − log q(z | x)) · ∇_φ z],  ∇_z log q(z | x) = E_{q(ψ′ | z, x)} ∇_z log q(z | ψ′, x).
 *
 * It climbs the ELBO itself, where SIVI and IWHVI climb a bound on it. Unbiased where ψ′ is an exact draw of q(ψ | z, x) that is independent of ψ_0
 * given z: with `exactReverseSampler`, and with `hmcReverseSampler` **only after enough burn-in** — its chain starts at ψ_0. Unbiased in θ always. The
 * direct term E ∇_φ log q(z; φ) = 0 is left out. ψ = g(ε; φ) may have parameters of its own: z depends on them through ψ_0.
 *
 * The `value` is that of the problem's marginal, a lower bound on the ELBO that is climbed.
 *
 * @throws Error if the bound is not the ELBO, if the problem has no reverse sampler, if no gradient flows through q's draws, or as the sampler does.
 * Source: Titsias & Ruiz 2019, "Unbiased implicit variational inference", section 3. Their "unbiased" is the limit of long burn-in.
 */
export const uivi: DeclaredGradient = declareGradient(
  "uivi",
  (bound) =>
    bound === elbo
      ? {
          verdict: "biased",
          why: "draws of q(ψ | z, x) by a short chain or by weights are not exact, or not independent of z's own; it is unbiased with exactReverseSampler, and the longer the chain the less biased.",
        }
      : {
          verdict: "refused",
          why: "it has the gradient of log q(z), not log q(z) itself, which the weights of another bound need; use bound: elbo.",
        },
  ({ problem: given, theta, phi, samples, key }) => {
    checkSamples(samples);
    const problem = uiviOf(given);
    const { q, tau, reverse } = phi as unknown as UiviParameters<Parameters, Parameters, Parameters>;
    if (!reverse) {
      throw new Error(
        "uivi: φ lacks the parameters of the reverse sampler; start from { ...initialParameters(…), reverse: sampler.init(key) }.",
      );
    }
    const { marginal, x } = problem;
    return tidied(() => {
      const [draw, rest] = split(key); // the draws of z are those that other gradients make of this key
      const [chain, report] = split(rest);
      const hierarchy = problem.hierarchy(q);
      const drawn = sampleHierarchy(hierarchy, draw, samples);
      const { z, psi, conditional } = drawn;
      if (!(hierarchy.mixing.reparameterised && conditional.reparameterised)) {
        throw new Error(
          "uivi: no gradient flows through the draws of this q into its parameters, so their gradient would be wrong.",
        );
      }
      const held = { hierarchy, z: stopGradient(z), psi0: stopGradient(psi), x };
      const draws = problem.reverse.sample(reverse, { ...held, key: chain });
      const score = marginalScore({ ...held, draws });
      const logP = problem.logP(theta, { z, psi });
      const logQ = stopGradient(() => marginal.logDensity({ ...held, conditional, eta: tau, key: report }));
      const climbed = logWeightsOf(problem, logP, tf.sum(tf.mul(score, z), -1));
      const surrogate = tf.mul(problem.scale, tf.sum(tf.mean(climbed, 0)));
      return {
        value: elbo.value(logWeightsOf(problem, logP, logQ)),
        surrogate: (draws.objective ? tf.add(surrogate, draws.objective) : surrogate) as Scalar,
      };
    });
  },
  "a hierarchical q with a path, and a sampler of ψ given z",
);

function uiviOf(problem: object): UiviProblem<Parameters, Parameters, Parameters, Parameters> {
  if ("reverse" in problem && "hierarchy" in problem) return problem as ReturnType<typeof uiviOf>;
  throw new Error(
    "uivi: this problem does not know how to draw from q(ψ | z, x); add a sampler to a hierarchical one by uiviProblem({ problem, reverse }).",
  );
}
