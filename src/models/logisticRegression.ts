import type { Tensor2D } from "../engine/tf.js";
import { bernoulliLogDensity } from "../ops/bernoulliLogDensity.js";
import { matMul } from "../ops/matMul.js";
import { type RegressionModel, regressionModel } from "./regressionModel.js";

/** Options of {@link logisticRegression}. */
export interface LogisticRegressionOptions {
  /** P, the width of x, and D: give x a column of ones for an intercept. */
  readonly inputs: number;
  /** σ of the coefficients' prior, > 0. */
  readonly priorScale: number;
}

/**
 * Bayesian logistic regression: z ~ N(0, σ² I), y_n ~ Bernoulli(1 / (1 + exp(−xₙᵀz))).
 *
 * Rows are (y, x) `[S, 1 + P]` with y 0 or 1 (a y between the two gives the cross-entropy); D = P.
 *
 * @throws Error if `inputs` is not a positive integer or `priorScale` is not positive.
 * Source: Yin & Zhou 2018, "Semi-implicit variational inference", the experiment on Bayesian logistic regression (σ² = 100 in their public code).
 */
export function logisticRegression({ inputs, priorScale }: LogisticRegressionOptions): RegressionModel {
  return regressionModel({
    name: "logisticRegression",
    inputs,
    classes: 2,
    dimension: inputs,
    priorScale,
    logLikelihood: (coefficients, labels, x) =>
      bernoulliLogDensity(labels, matMul(coefficients, x, { transposeB: true })) as Tensor2D,
  });
}
