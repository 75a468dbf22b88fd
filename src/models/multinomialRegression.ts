import { type Tensor2D, tf } from "../engine/tf.js";
import { logSumExp } from "../ops/logSumExp.js";
import { matMul } from "../ops/matMul.js";
import { type RegressionModel, regressionModel } from "./regressionModel.js";

/** Options of {@link multinomialRegression}. */
export interface MultinomialRegressionOptions {
  /** P, the width of x: give it a column of ones for an intercept. */
  readonly inputs: number;
  /** C ≥ 2, classes 0 … C − 1. */
  readonly classes: number;
  /** σ of the coefficients' prior, > 0. Default 1. */
  readonly priorScale?: number;
}

/**
 * Bayesian multinomial logistic regression: z = (w_1, …, w_C) ~ N(0, σ² I), p(y_n = c | x_n, z) = exp(xₙᵀw_c) / Σ_c′ exp(xₙᵀw_c′).
 *
 * Rows are (y, x) `[S, 1 + P]` with y a class number, which is not checked here (`labelledRows` does); D = C P, class after class. Every class has coefficients of its own: the
 * likelihood does not change when all w_c are moved alike, the prior decides.
 *
 * @throws Error if `inputs` is not a positive integer, if there are fewer than two classes, or if `priorScale` is not positive.
 * Source: Titsias & Ruiz 2019, "Unbiased implicit variational inference", section 4 (σ = 1).
 */
export function multinomialRegression(options: MultinomialRegressionOptions): RegressionModel {
  const { inputs, classes, priorScale = 1 } = options;
  if (!Number.isInteger(classes) || classes < 2)
    throw new Error(`multinomialRegression: classes must be an integer of at least 2, not ${classes}.`);
  return regressionModel({
    name: "multinomialRegression",
    inputs,
    classes,
    dimension: classes * inputs,
    priorScale,
    logLikelihood: (coefficients, labels, x) => {
      const weights = tf.reshape(coefficients, [-1, inputs]) as Tensor2D; // [G C, P]
      const logits = tf.reshape(matMul(weights, x, { transposeB: true }), [-1, classes, x.shape[0]]);
      const own = tf.cast(tf.equal(labels, tf.reshape(tf.range(0, classes), [classes, 1])), "float32"); // [C, S]
      return tf.sub(tf.sum(tf.mul(logits, own), 1), logSumExp(logits, 1)) as Tensor2D;
    },
  });
}
