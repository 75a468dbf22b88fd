import { dot, klDivergence } from "../families/exponentialFamily.js";
import { type NormalGammaParameters, normalGammaFamily } from "../families/normalGammaFamily.js";
import type { ConjugateModel, NaturalParameters } from "./conjugateModel.js";

/** q(w, τ), a Normal–Gamma in its natural parameters. */
export interface RegressionGlobal extends NaturalParameters {
  /** `[D + D² + 2]`, what `normalGammaFamily(D).parameters` reads. */
  readonly weights: Float64Array;
}

/** Observations of a regression. */
export interface RegressionBatch {
  /** X, `[size · D]`, row by row; for an intercept give it a column of ones. */
  readonly inputs: Float64Array;
  /** y, `[size]`. */
  readonly responses: Float64Array;
}

/** Options of {@link bayesianLinearRegression}. */
export interface BayesianLinearRegressionOptions {
  readonly prior: NormalGammaParameters;
}

/** The model, with what is known exactly of it. */
export interface BayesianLinearRegression extends ConjugateModel<RegressionGlobal, RegressionBatch, never> {
  /** D. */
  readonly dimension: number;
  /** log p(y | X) = A(posterior) − A(prior) − ½ N log 2π. */
  logEvidence(batch: RegressionBatch): number;
  /** m, P, shape and rate of q(w, τ). */
  parameters(global: RegressionGlobal): NormalGammaParameters;
}

/**
 * Linear regression with unknown noise: `w, τ ~ NormalGamma`, `y_i ~ N(x_iᵀ w, 1/τ)`.
 *
 * It has no local variables, so one step of CAVI gives the exact posterior and the ELBO is the exact evidence.
 *
 * @throws RangeError if the prior is out of range; from `local` and `logEvidence`, if X and y do not fit each other or are empty or not finite.
 * Source: Bishop 2006, "Pattern recognition and machine learning", section 3.3 and exercises 3.12, 3.13 and 3.23.
 */
export function bayesianLinearRegression(options: BayesianLinearRegressionOptions): BayesianLinearRegression {
  const D = options.prior.mean.length;
  const family = normalGammaFamily(D);
  const prior: RegressionGlobal = { weights: family.natural(options.prior) };
  const constant = Math.log(2 * Math.PI) / 2;
  return {
    name: "Bayesian linear regression",
    settings: {}, // all is in the prior
    dimension: D,
    prior,
    kl: (global, from = prior) => klDivergence(family, global.weights, from.weights),
    local: ({ weights }, batch) => {
      const statistics = statisticsOf(batch, D, family.size);
      const bound = dot(statistics, family.mean(weights)) - batch.responses.length * constant;
      return { statistics: { weights: statistics }, bound };
    },
    logEvidence: (batch) => {
      const posterior = statisticsOf(batch, D, family.size).map((value, i) => value + prior.weights[i]);
      return family.logNormaliser(posterior) - family.logNormaliser(prior.weights) - batch.responses.length * constant;
    },
    parameters: ({ weights }) => family.parameters(weights),
  };
}

/** Σ_i (x_i y_i, −½ x_i x_iᵀ, −½ y_i², ½). */
function statisticsOf({ inputs, responses }: RegressionBatch, D: number, size: number): Float64Array {
  const n = responses.length;
  if (n === 0 || inputs.length !== n * D) {
    throw new RangeError(
      `bayesianLinearRegression needs rows of ${D} inputs, one for each response and at least one, not ${inputs.length} inputs for ${n} responses.`,
    );
  }
  const out = new Float64Array(size);
  for (let row = 0; row < n; row++) {
    const y = responses[row];
    for (let i = 0; i < D; i++) {
      const x = inputs[row * D + i];
      out[i] += x * y;
      for (let j = 0; j < D; j++) out[D + i * D + j] -= (x * inputs[row * D + j]) / 2;
    }
    out[size - 2] -= (y * y) / 2;
    out[size - 1] += 0.5;
  }
  if (!out.every(Number.isFinite))
    throw new RangeError("bayesianLinearRegression: an input or a response is not finite; remove or impute it.");
  return out;
}
