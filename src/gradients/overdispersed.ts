import { elbo } from "../bounds/elbo.js";
import type { Distribution } from "../distributions/distribution.js";
import type { ExponentialMember } from "../distributions/exponentialMember.js";
import { onOwnTape } from "../engine/ownTape.js";
import type { Parameters } from "../engine/parameters.js";
import { split } from "../engine/random.js";
import { type Scalar, type Tensor, type Tensor1D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { logWeightsOf } from "../models/klWeight.js";
import { checkSamples, type Problem } from "../models/problem.js";
import { logMeanExp } from "../ops/logMeanExp.js";
import { stopGradient } from "../ops/stopGradient.js";
import { type DeclaredGradient, declareGradient, unbiased } from "./declared.js";
import { proposalsOf } from "./factorDraws.js";
import { heldParameters } from "./held.js";
import { membersOf } from "./membersOf.js";

/** Options of {@link overdispersed}. */
export interface OverdispersedOptions {
  /** τ_1, …, τ_J ≥ 1, for a problem that does not learn its own. Default `[1, 2]`: q itself beside a wider one keeps every weight below 2. */
  readonly dispersions?: readonly number[];
}

/**
 * The score-function gradient of the ELBO with draws from wider members r_j of q's own exponential family (`exponentialMembers`), K/J from each: for a diagonal
 * Gaussian N(μ, τ_j σ²).
 *
 * ∇_φ L = E (1/K) Σ_k w_k [log p(x, z_k; θ) − log q(z_k; φ)] ∇_φ log q(z_k; φ),  w = q / r,  r = (1/J) Σ_j r_j.
 *
 * A score is large where q is small, so that draws of q itself are not the best for it. With `withDispersions` τ moves too, along −½ ∇_τ E_r |f|², the second moment of one draw's
 * f = w (log p − log q) ∇_λ log q, λ the unconstrained coordinates (μ, log σ): +½ E_r [|f|² ∇_τ log r]. The proposal is that of all D coordinates at once, so that the weights
 * of one wide proposal alone degrade as D grows; keep τ = 1 among them, or use `overdispersedFactors`.
 *
 * It takes no leave-one-out baseline: each draw comes from one proposal, and E_{r_j} w ∇ log q is not zero for each but in their sum alone, while the mean of the others' log-weights depends on which one was left out.
 *
 * Unbiased for the ELBO, whatever τ is; the value is its unbiased estimate by the same weights. τ's own is the gradient of the variance, not of the bound.
 *
 * @throws Error for another bound, if a τ is below 1 or not finite, if K is no multiple of J, or if q is no product of such laws.
 * Source: Ruiz, Titsias & Blei 2016, "Overdispersed black-box variational inference", section 3.1; what it takes in high dimension is `overdispersedFactors`.
 */
export function overdispersed({ dispersions = [1, 2] }: OverdispersedOptions = {}): DeclaredGradient {
  const name = "overdispersed";
  const bad = dispersions.find((tau) => !(tau >= 1 && Number.isFinite(tau)));
  if (bad !== undefined || dispersions.length === 0) {
    throw new Error(`${name}: dispersions must be one or more finite numbers ≥ 1, not [${dispersions.join(", ")}].`);
  }
  return declareGradient(
    `${name} (τ = ${dispersions.join(", ")})`,
    (bound) =>
      bound === elbo
        ? unbiased
        : {
            verdict: "refused",
            why: "importance weights stand for one draw in an expectation, which a bound of K weights is not; use scoreFunction({ baseline: vimco }), or bound: elbo.",
          },
    ({ problem, theta, phi, samples, key }) => {
      checkSamples(samples);
      return tidied(() => {
        const members = membersOf(name, problem, heldParameters(phi));
        const tau = dispersionsOf(problem, phi) ?? tf.tensor1d([...dispersions]);
        const proposals = tau.shape[0];
        if (samples % proposals !== 0) {
          throw new Error(
            `${name}: each of the ${proposals} proposals makes its share of the K draws, so K must be a multiple of ${proposals}, not ${samples}.`,
          );
        }
        const [draw, estimate] = split(key);
        const wider = proposalsOf(members, tf.reshape(tau, [-1, 1]));
        const x = onOwnTape(() => {
          const keys = split(draw, members.length);
          return wider.map((laws, i) => {
            const own = split(keys[i], proposals);
            return tf.concat(laws.map((law, j) => law.sample(own[j], [samples / proposals])));
          });
        });
        const z = x.length === 1 ? x[0] : tf.concat(x, 2);
        const logQ = problem.logQ(phi, z as never, estimate);
        const excess = logExcess({ members, wider, x }); // log r − log q, differentiable in τ
        const weight = stopGradient(() => tf.exp(tf.neg(excess)));
        const logW = logWeightsOf(problem, problem.logP(theta, z as never), stopGradient(logQ));
        const weighted = tf.mul(weight, logW);
        const value = tf.mean(weighted, 0) as Tensor1D;
        const signal = stopGradient(() => tf.div(weighted, samples));
        const moment = stopGradient(() => tf.mul(tf.square(weighted), squaredScore(members, x)));
        const dispersion = tf.mul(0.5 / samples, tf.sum(tf.mul(moment, excess)));
        const climbed = tf.add(tf.add(tf.sum(tf.mul(signal, logQ)), tf.sum(value)), dispersion);
        return { value, surrogate: tf.mul(problem.scale, climbed) as Scalar };
      });
    },
    "q a product of normal, gamma, log-gamma, Poisson or Bernoulli laws",
  );
}

/** log r(z) − log q(z), r the mixture of the J proposals of all coordinates at once, `[K, B]`. */
function logExcess(of: {
  readonly members: readonly ExponentialMember[];
  readonly wider: readonly (readonly Distribution[])[];
  readonly x: readonly Tensor[];
}): Tensor {
  const { members, wider, x } = of;
  const each = members.map(({ law }, i) => {
    const logQ = stopGradient(() => law.logProb(x[i]));
    return tf.stack(wider[i].map((proposal) => tf.sum(tf.sub(proposal.logProb(x[i]), logQ), -1)));
  });
  return logMeanExp(tf.addN(each), 0);
}

/** |∇_λ log q|², `[K, B]`. */
function squaredScore(members: readonly ExponentialMember[], x: readonly Tensor[]): Tensor {
  const squares = members.flatMap((member, i) => member.scores(x[i]).map((score) => tf.sum(tf.square(score), -1)));
  return tf.addN(squares);
}

function dispersionsOf<Theta extends Parameters, Phi extends Parameters, Z>(
  problem: Problem<Theta, Phi, Z>,
  phi: Phi,
): Tensor1D | undefined {
  if (!("dispersions" in problem)) return undefined;
  return (problem as unknown as { dispersions(of: unknown): Tensor }).dispersions(phi.dispersion) as Tensor1D;
}
