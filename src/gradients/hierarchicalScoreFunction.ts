import type { Bound } from "../bounds/bound.js";
import { elbo } from "../bounds/elbo.js";
import { onOwnTape } from "../engine/ownTape.js";
import type { Parameters } from "../engine/parameters.js";
import { split } from "../engine/random.js";
import { type Scalar, type Tensor, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { ReverseInputs } from "../families/reverseConditional.js";
import type { HierarchicalParameters, HierarchicalProblem } from "../marginals/hierarchicalProblem.js";
import { jointLogDensity } from "../marginals/hierarchicalSamplingProblem.js";
import { sampleHierarchy } from "../marginals/marginal.js";
import { logWeightsOf, timesKlWeight } from "../models/klWeight.js";
import { stopGradient } from "../ops/stopGradient.js";
import { noBaseline } from "./baselines.js";
import { type DeclaredGradient, declareGradient, type Standing, unbiased } from "./declared.js";
import { checkScoreSamples, keepsMinusOne, nameOf, type ScoreOptions } from "./scoreFunction.js";

/** Options of {@link hierarchicalScoreFunction}. */
export interface HierarchicalScoreOptions extends ScoreOptions {
  /** How q(ψ | x) is differentiated: by its score, or along its draws, which leaves the score of z | ψ alone and needs them reparameterised. Default "score". */
  readonly mixing?: "score" | "path";
}

/**
 * The score-function gradient of any bound over a hierarchical q, for latents of any kind: what is scored is the law of the draws, q(z, ψ_0 | x), and not the estimate q̂ of log q(z | x),
 *
 * ∇_φ E L = E Σ_m [(L − b_m) ∇_φ log q(z_m, ψ_m0 | x) − c_m ∇_φ log q̂(z_m | x)],  c_m = ∂L/∂log ŵ_m, with z and ψ_0 held fixed.
 *
 * With `hvm` log q̂ = log q(z, ψ_0) − log r(ψ_0 | z), and one draw's term under the ELBO is ∇ log q(z, λ) (log p(x, z) − log q(z | λ) − log q(λ) + log r(λ | z) − 1) + ∇ log r(λ | z): Chaney's
 * estimator with the term that his objective lacks. The −1 may be left out there (`minusOne`), as its mean is zero; r's gradient stays.
 *
 * With `mixing: "path"` the gradient flows through ψ_0, and log q(z | ψ_0, x) alone is scored: for discrete z that is what is left when λ is reparameterised.
 *
 * Unbiased for every bound. The draws of τ, if K ≥ 1, are reparameterised.
 *
 * @throws Error if the problem has no marginal's estimate of log q, if `minusOne: false` is asked for another bound than the ELBO, if M is too small for the baseline, if q(ψ | x) has no density, if a path is
 *   asked for along draws that have none, or if K ≥ 1 and τ's draws have none.
 * Source: Ranganath, Tran & Blei 2016, "Hierarchical variational models"; Chaney 2015, section 2.
 */
export function hierarchicalScoreFunction(options: HierarchicalScoreOptions = {}): DeclaredGradient {
  const { baseline = noBaseline, mixing: through = "score" } = options;
  const name = nameOf("hierarchicalScoreFunction", options) + (through === "path" ? " along ψ" : "");
  return declareGradient(
    name,
    (bound) => standingOf(options, bound),
    ({ problem: given, bound, theta, phi, samples, key }) => {
      checkScoreSamples("hierarchicalScoreFunction", samples, baseline);
      const problem = hierarchicalOf(given);
      const { q, tau: eta } = phi as unknown as HierarchicalParameters<Parameters, Parameters>;
      const { marginal, x } = problem;
      return tidied(() => {
        const [draw, estimate] = split(key);
        const hierarchy = problem.hierarchy(q);
        if (through === "path" && !hierarchy.mixing.reparameterised) {
          throw new Error(
            "hierarchicalScoreFunction: no gradient flows through the draws of this q(ψ | x); leave mixing out, so that it is scored.",
          );
        }
        const held = onOwnTape(() => {
          const { z, psi } = sampleHierarchy(problem.hierarchy(q), draw, samples);
          return { z, psi };
        });
        // The same ψ_0, drawn again with its path: sampleHierarchy takes the first half of the key for it.
        const psi = through === "path" ? (hierarchy.mixing.sample(split(draw)[0]!, [samples]) as Tensor3D) : held.psi;
        const { z } = held;
        if (marginal.samples > 0) checkTau(problem, eta, { hierarchy, z });
        const conditional = hierarchy.conditional(psi);
        const logScored: Tensor =
          through === "path" ? conditional.logProb(z) : jointLogDensity(hierarchy, { z, psi }, conditional);
        const logQ = marginal.logDensity({ hierarchy, eta, z, psi0: psi, conditional, x, key: estimate });
        const logW = logWeightsOf(problem, problem.logP(theta, { z, psi }), logQ);
        const signal = stopGradient(() => {
          const signal = baseline.signal(bound, logW);
          // The value's own gradient holds −c ∇log q(z, ψ_0); where that is to be left out it is added back.
          if (keepsMinusOne(options, bound)) return signal;
          return tf.add(signal, timesKlWeight(problem, bound.weights(logW)));
        });
        const value = bound.value(logW);
        const climbed = tf.add(tf.sum(tf.mul(signal, logScored)), tf.sum(value));
        return { value, surrogate: tf.mul(problem.scale, climbed) as Scalar };
      });
    },
    "a hierarchical q, with or without a path",
  );
}

function standingOf(options: ScoreOptions, bound: Bound): Standing {
  if (keepsMinusOne(options, bound) || bound === elbo) return unbiased;
  return {
    verdict: "refused",
    why: "the −1 may be left out of the ELBO's gradient alone, where its mean is zero; leave minusOne out, or set it to true.",
  };
}

/** @throws Error if τ's draws miss a path: where it says so, or where it is a q(ψ | x) that has none. */
function checkTau(problem: AnyHierarchicalProblem, eta: Parameters, at: Omit<ReverseInputs, "x">): void {
  const { marginal, x } = problem;
  const isMixing = !at.hierarchy.mixing.reparameterised && marginal.reverse.given(eta, { ...at, x }).isMixing;
  if (marginal.reverse.reparameterised && !isMixing) return;
  throw new Error(
    "hierarchicalScoreFunction: no gradient flows through the draws of this τ into its parameters; use hvm (K = 0), which draws none, or a τ whose draws are reparameterised.",
  );
}

type AnyHierarchicalProblem = HierarchicalProblem<Parameters, Parameters, Parameters>;

function hierarchicalOf(problem: object): AnyHierarchicalProblem {
  if ("marginal" in problem && "hierarchy" in problem) return problem as ReturnType<typeof hierarchicalOf>;
  throw new Error(
    "hierarchicalScoreFunction: log q of this problem is no marginal's estimate; make the problem with hierarchicalProblem or its kin, or use scoreFunction.",
  );
}
