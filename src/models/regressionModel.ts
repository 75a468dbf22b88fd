import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import { normalLogDensity } from "../ops/normalLogDensity.js";

/**
 * A classifier with one vector of coefficients z behind a whole data set: p(z) ∏_n p(y_n | x_n, z), with z ~ N(0, σ² I).
 *
 * Its data are rows `[S, 1 + P]`, the label before the inputs, so that a minibatch is one tensor. The three functions take z with any leading dimensions: draws
 * `[K, 1, D]` of a problem, chains `[C, D]`, or one point `[D]`.
 *
 * ```ts
 * const { logPrior, logLikelihood } = logisticRegression({ inputs: 22, priorScale: 10 });
 * const problem = posteriorProblem({ logPrior, logLikelihood, family, x: batch.x, scale: batch.scale });
 * ```
 */
export interface RegressionModel {
  /** D, the number of coefficients. */
  readonly dimension: number;
  /** How many classes the label tells apart: 0, 1, … */
  readonly classes: number;
  /** log N(z; 0, σ² I), from `[..., D]` to `[...]`. */
  logPrior(z: Tensor): Tensor;
  /**
   * log p(y_s | x_s, z_g) of every draw and row, `[G, S]`, for G draws: z `[..., D]` and rows `[S, 1 + P]`.
   *
   * @throws Error if z or the rows have another width.
   */
  logLikelihood(z: Tensor, rows: Tensor2D): Tensor2D;
  /**
   * log p(z) + Σ_s log p(y_s | x_s, z), from `[..., D]` to `[...]`, for rows that are the whole data: what `hmc` and `densityProblem` ask for.
   *
   * @throws Error as `logLikelihood`.
   */
  logJoint(z: Tensor, rows: Tensor2D): Tensor;
}

/** The common parts of the regressions. @internal */
export function regressionModel(options: {
  readonly name: string;
  /** P, the intercept's 1 included. */
  readonly inputs: number;
  readonly classes: number;
  readonly dimension: number;
  readonly priorScale: number;
  /** For coefficients `[G, D]`, labels `[S]` and inputs `[S, P]`: `[G, S]`. */
  readonly logLikelihood: (coefficients: Tensor2D, labels: Tensor, inputs: Tensor2D) => Tensor2D;
}): RegressionModel {
  const { name, inputs, classes, dimension, priorScale } = options;
  if (!Number.isInteger(inputs) || inputs < 1)
    throw new Error(`${name}: inputs must be a positive integer, not ${inputs}; count the intercept's column of ones.`);
  if (!(priorScale > 0 && priorScale < Infinity))
    throw new Error(`${name}: priorScale must be positive and finite, not ${priorScale}.`);
  const logPrior = (z: Tensor): Tensor => {
    checkShape(`${name}: z`, z, ["...", dimension]);
    return normalLogDensity(z, 0, priorScale, 1);
  };
  const logLikelihood = (z: Tensor, rows: Tensor2D): Tensor2D => {
    checkShape(`${name}: z`, z, ["...", dimension]);
    checkShape(`${name}: the rows (label, inputs)`, rows, ["*", 1 + inputs]);
    return tf.tidy(() => {
      const [labels, x] = tf.split(rows, [1, inputs], 1) as [Tensor2D, Tensor2D];
      return options.logLikelihood(tf.reshape(z, [-1, dimension]), tf.reshape(labels, [-1]), x);
    });
  };
  const logJoint = (z: Tensor, rows: Tensor2D): Tensor =>
    tf.tidy(() => tf.add(logPrior(z), tf.reshape(tf.sum(logLikelihood(z, rows), 1), z.shape.slice(0, -1))));
  return { dimension, classes, logPrior, logLikelihood, logJoint };
}
