import { elbo } from "../bounds/elbo.js";
import type { Parameters } from "../engine/parameters.js";
import { normal, split } from "../engine/random.js";
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { logWeightsOf } from "../models/klWeight.js";
import { checkSamples, type Problem } from "../models/problem.js";
import { logMeanExp } from "../ops/logMeanExp.js";
import { stopGradient } from "../ops/stopGradient.js";
import { type DeclaredGradient, declareGradient, unbiased } from "./declared.js";
import { diagonalGaussian } from "./diagonalGaussian.js";

/** Options of {@link overdispersed}. */
export interface OverdispersedOptions {
  /** τ_1, …, τ_J ≥ 1, for a problem that does not learn its own. Default `[1, 2]`: q itself beside a wider one keeps every weight below 2. */
  readonly dispersions?: readonly number[];
}

/**
 * The score-function gradient of the ELBO with draws from wider proposals, r_j ∝ q^{1/τ_j}, for a diagonal Gaussian N(μ, τ_j σ²), K/J from each:
 *
 * ∇_φ L = E (1/K) Σ_k w_k [log p(x, z_k; θ) − log q(z_k; φ)] ∇_φ log q(z_k; φ),  w = q / r,  r = (1/J) Σ_j r_j.
 *
 * A score is large where q is small, so that draws of q itself are not the best for it. With `withDispersions` τ moves too, along −½ ∇_τ E_r |f|², the second moment of one draw's
 * f = w (log p − log q) ∇_{μ, log σ} log q: +½ E_r [|f|² ∇_τ log r]. The proposal is that of all D coordinates at once, so that the weights of one wide proposal alone
 * degrade as D grows; keep τ = 1 among them.
 *
 * Unbiased for the ELBO, whatever τ is; the value is its unbiased estimate by the same weights. τ's own is the gradient of the variance, not of the bound.
 *
 * @throws Error for another bound, if a τ is below 1 or not finite, if K is no multiple of J, or if q is not a product of normals.
 * Source: Ruiz, Titsias & Blei 2016, "Overdispersed black-box variational inference" (their Rao-Blackwellisation and control variates are left out).
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
        const { mean, scale } = diagonalGaussian(name, problem, phi);
        const tau = dispersionsOf(problem, phi) ?? tf.tensor1d([...dispersions]);
        const proposals = tau.shape[0];
        if (samples % proposals !== 0) {
          throw new Error(
            `${name}: each of the ${proposals} proposals makes its share of the K draws, so K must be a multiple of ${proposals}, not ${samples}.`,
          );
        }
        const [draw, estimate] = split(key);
        const noise = stopGradient(() => {
          const raw = tf.reshape(normal(draw, [samples, ...mean.shape]), [proposals, -1]);
          const wide = tf.mul(raw, tf.sqrt(tf.expandDims(tau, 1)));
          return tf.reshape(wide, [samples, ...mean.shape]); // ε = (z − μ)/σ, [K, B, D]
        });
        const z = stopGradient(() => tf.add(mean, tf.mul(scale, noise)));
        const logQ = problem.logQ(phi, z as never, estimate);
        const excess = logExcess(noise, tau); // log r − log q, differentiable in τ
        const weight = stopGradient(() => tf.exp(tf.neg(excess)));
        const logW = logWeightsOf(problem, problem.logP(theta, z as never), stopGradient(logQ));
        const weighted = tf.mul(weight, logW);
        const value = tf.mean(weighted, 0) as Tensor1D;
        const signal = stopGradient(() => tf.div(weighted, samples));
        const moment = stopGradient(() => tf.mul(tf.square(weighted), squaredScore(noise, scale)));
        const dispersion = tf.mul(0.5 / samples, tf.sum(tf.mul(moment, excess)));
        const climbed = tf.add(tf.add(tf.sum(tf.mul(signal, logQ)), tf.sum(value)), dispersion);
        return { value, surrogate: tf.mul(problem.scale, climbed) as Scalar };
      });
    },
  );
}

/** log r(z) − log q(z) = log (1/J) Σ_j exp(½ |ε|² (1 − 1/τ_j) − (D/2) log τ_j), `[K, B]`. */
function logExcess(noise: Tensor, tau: Tensor1D): Tensor {
  const dimension = noise.shape[2] as number;
  const square = tf.expandDims(tf.sum(tf.square(noise), 2), 0);
  const each = tf.reshape(tau, [-1, 1, 1]);
  const terms = tf.sub(tf.mul(0.5, tf.mul(square, tf.sub(1, tf.div(1, each)))), tf.mul(dimension / 2, tf.log(each)));
  return logMeanExp(terms, 0);
}

/** |∇_{μ, log σ} log q|² = Σ_d ε_d²/σ_d² + (ε_d² − 1)², `[K, B]`. */
function squaredScore(noise: Tensor, scale: Tensor2D): Tensor {
  const square = tf.square(noise);
  return tf.sum(tf.add(tf.div(square, tf.square(scale)), tf.square(tf.sub(square, 1))), 2);
}

function dispersionsOf<Theta extends Parameters, Phi extends Parameters, Z>(
  problem: Problem<Theta, Phi, Z>,
  phi: Phi,
): Tensor1D | undefined {
  if (!("dispersions" in problem)) return undefined;
  return (problem as unknown as { dispersions(of: unknown): Tensor }).dispersions(phi.dispersion) as Tensor1D;
}
