import { logIntegral, trapezoid } from "../diagnostics/quadrature.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { normalLogDensity } from "../ops/normalLogDensity.js";
import type { Bijection } from "../transforms/bijection.js";
import { positive } from "../transforms/positive.js";
import { real } from "../transforms/real.js";
import type { UnconstrainedOptions } from "../transforms/unconstrained.js";

/** Estimated effects y of coaching in eight schools, with their standard errors σ. Source: Rubin 1981, "Estimation in parallel randomized experiments", table 1. */
const data = { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] } as const;
const [priorScaleOfMean, priorScaleOfSpread] = [5, 5];
const logTwoPi = Math.log(2 * Math.PI);

/** The unknowns of {@link eightSchoolsCentred}. */
export type CentredSchools = {
  readonly mu: Bijection<Tensor1D>;
  readonly tau: Bijection<Tensor1D>;
  readonly theta: Bijection<Tensor2D>;
};

/** The unknowns of {@link eightSchoolsNonCentred}. */
export type NonCentredSchools = {
  readonly mu: Bijection<Tensor1D>;
  readonly tau: Bijection<Tensor1D>;
  readonly standardised: Bijection<Tensor2D>;
};

/**
 * Eight schools, centred: μ ~ N(0, 5²), τ ~ half-Cauchy(0, 5), θ_j ~ N(μ, τ²), y_j ~ N(θ_j, σ_j²), with every constant, so that the integral is p(y).
 *
 * Where τ is small the θ lie in a funnel that no Gaussian fits; {@link eightSchoolsNonCentred} is the same model without it, {@link exactEightSchools} its exact posterior.
 *
 * Source: Rubin 1981, "Estimation in parallel randomized experiments"; Gelman et al. 2013, "Bayesian data analysis", section 5.5; the priors of Yao, Vehtari, Simpson & Gelman
 * 2018, "Yes, but did it work? Evaluating variational inference".
 */
export function eightSchoolsCentred(): UnconstrainedOptions<CentredSchools> {
  return {
    supports: { mu: real(), tau: positive(), theta: real([data.y.length]) },
    logJoint: ({ mu, tau, theta }) =>
      tf.tidy(() => {
        const logTheta = normalLogDensity(theta, tf.expandDims(mu, 1), tf.expandDims(tau, 1), 1);
        return tf.add(tf.add(logHyperprior(mu, tau), logTheta), logLikelihood(theta));
      }),
  };
}

/**
 * Eight schools, non-centred: as {@link eightSchoolsCentred} with θ_j = μ + τ η_j and η_j ~ N(0, 1) the unknown `standardised`.
 */
export function eightSchoolsNonCentred(): UnconstrainedOptions<NonCentredSchools> {
  return {
    supports: { mu: real(), tau: positive(), standardised: real([data.y.length]) },
    logJoint: ({ mu, tau, standardised }) =>
      tf.tidy(() => {
        const theta = tf.add(tf.expandDims(mu, 1), tf.mul(tf.expandDims(tau, 1), standardised));
        return tf.add(
          tf.add(logHyperprior(mu, tau), normalLogDensity(standardised, 0, 1, 1)),
          logLikelihood(theta as Tensor2D),
        );
      }),
  };
}

/** log N(μ; 0, 5²) + log half-Cauchy(τ; 0, 5). */
function logHyperprior(mu: Tensor1D, tau: Tensor1D): Tensor {
  const ratio = tf.div(tau, priorScaleOfSpread);
  const constant = Math.log(2 / (Math.PI * priorScaleOfSpread));
  return tf.add(normalLogDensity(mu, 0, priorScaleOfMean), tf.sub(constant, tf.log1p(tf.square(ratio))));
}

function logLikelihood(theta: Tensor2D): Tensor {
  return normalLogDensity(theta, tf.tensor1d([...data.y]), tf.tensor1d([...data.sigma]), 1);
}

/** Posterior mean and standard deviation of one unknown. */
export interface ExactMoments {
  readonly mean: number;
  readonly standardDeviation: number;
}

/** What {@link exactEightSchools} computes. */
export interface ExactEightSchools {
  /** log p(y). */
  readonly logEvidence: number;
  readonly mu: ExactMoments;
  readonly tau: ExactMoments;
  readonly logTau: ExactMoments;
  /** `[8]`. */
  readonly theta: readonly ExactMoments[];
}

/**
 * Evidence and posterior moments of the eight schools, exact to about 1e-9: given τ all else is Gaussian, and τ is left to one quadrature.
 *
 * With p_j = 1/(σ_j² + τ²): μ | τ, y ~ N(m, 1/P), P = 1/25 + Σ_j p_j, m = Σ_j p_j y_j / P; θ_j | τ, y has the mean w_j y_j + (1 − w_j) m, w_j = τ²/(τ² + σ_j²).
 */
export function exactEightSchools(): ExactEightSchools {
  const rule = trapezoid(-30, 15, 4501); // log τ
  const at = Array.from(rule.points, (logTau) => givenSpread(Math.exp(logTau)));
  const logs = at.map(({ logDensity }, i) => logDensity + rule.points[i]); // the volume of τ = exp(log τ)
  const logEvidence = logIntegral(rule, logs);
  const weights = logs.map((log, i) => Math.exp(log + rule.logWeights[i] - logEvidence));
  const moments = (first: (i: number) => number, second: (i: number) => number): ExactMoments => {
    const mean = weights.reduce((sum, w, i) => sum + w * first(i), 0);
    return { mean, standardDeviation: Math.sqrt(weights.reduce((sum, w, i) => sum + w * second(i), 0) - mean ** 2) };
  };
  return {
    logEvidence,
    mu: moments(
      (i) => at[i].mean,
      (i) => at[i].mean ** 2 + at[i].variance,
    ),
    tau: moments(
      (i) => Math.exp(rule.points[i]),
      (i) => Math.exp(2 * rule.points[i]),
    ),
    logTau: moments(
      (i) => rule.points[i],
      (i) => rule.points[i] ** 2,
    ),
    theta: data.y.map((y, j) => {
      const share = (i: number): number => 1 / (1 + (data.sigma[j] / Math.exp(rule.points[i])) ** 2);
      const centre = (i: number): number => share(i) * y + (1 - share(i)) * at[i].mean;
      return moments(
        centre,
        (i) => centre(i) ** 2 + share(i) * data.sigma[j] ** 2 + (1 - share(i)) ** 2 * at[i].variance,
      );
    }),
  };
}

/** log p(y, τ), and mean and variance of μ | τ, y. */
function givenSpread(tau: number): { readonly logDensity: number; readonly mean: number; readonly variance: number } {
  let precision = 1 / priorScaleOfMean ** 2;
  let [weighted, squares, logs] = [0, 0, Math.log(precision)];
  data.y.forEach((y, j) => {
    const p = 1 / (data.sigma[j] ** 2 + tau ** 2);
    precision += p;
    weighted += p * y;
    squares += p * y * y;
    logs += Math.log(p);
  });
  const mean = weighted / precision;
  const logLikelihood = (logs - Math.log(precision) - data.y.length * logTwoPi - squares + mean * weighted) / 2;
  const logPrior = Math.log(2 / (Math.PI * priorScaleOfSpread)) - Math.log1p((tau / priorScaleOfSpread) ** 2);
  return { logDensity: logLikelihood + logPrior, mean, variance: 1 / precision };
}
