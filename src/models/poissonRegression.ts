import { logGamma } from "../diagnostics/specialFunctions.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { matMul } from "../ops/matMul.js";
import { normalLogDensity } from "../ops/normalLogDensity.js";
import type { Bijection } from "../transforms/bijection.js";
import { real } from "../transforms/real.js";
import type { UnconstrainedOptions } from "../transforms/unconstrained.js";

/** Options of {@link poissonRegression}. */
export interface PoissonRegressionOptions {
  /** Rows (y, x), `[N, 1 + P]`: a count and its inputs, of which a column of ones makes an intercept. They are read here once and stay the caller's. */
  readonly rows: Tensor2D;
  /** σ of the coefficients' prior, > 0. */
  readonly priorScale: number;
}

/**
 * Bayesian Poisson regression: β ~ N(0, σ² I), y_n ~ Poisson(exp(xₙᵀ β)), with every constant.
 *
 * @throws Error if the rows are no matrix of at least one row and one input, a count is not a non-negative integer, an input is not finite, or the scale is not positive.
 */
export function poissonRegression(
  options: PoissonRegressionOptions,
): UnconstrainedOptions<{ readonly coefficients: Bijection<Tensor2D> }> {
  const { rows, priorScale } = options;
  checkShape("poissonRegression: rows", rows, ["*", "*"]);
  const [n, width] = rows.shape;
  if (n === 0 || width < 2)
    throw new Error(`poissonRegression: rows [${n}, ${width}] need at least one row (y, x) with one input.`);
  if (!(priorScale > 0 && priorScale < Infinity))
    throw new Error(`poissonRegression: priorScale must be positive and finite, not ${priorScale}.`);
  const values = rows.dataSync();
  let constant = 0;
  for (let row = 0; row < n; row++) {
    const y = values[row * width];
    if (!(Number.isInteger(y) && y >= 0))
      throw new Error(`poissonRegression: the count of row ${row} is ${y}, but must be an integer of at least 0.`);
    const bad = values.subarray(row * width, (row + 1) * width).findIndex((value) => !Number.isFinite(value));
    if (bad !== -1)
      throw new Error(`poissonRegression: rows[${row}, ${bad}] is not finite; remove or impute such rows.`);
    constant -= logGamma(y + 1);
  }
  return {
    supports: { coefficients: real([width - 1]) },
    logJoint: ({ coefficients }) =>
      tf.tidy(() => {
        const [y, x] = tf.split(rows, [1, width - 1], 1) as [Tensor2D, Tensor2D];
        const eta = matMul(coefficients, x, { transposeB: true });
        const logLikelihood = tf.sum(tf.sub(tf.mul(eta, tf.reshape(y, [1, n])), exp(eta)), 1);
        return tf.add(tf.add(logLikelihood, constant), normalLogDensity(coefficients, 0, priorScale, 1));
      }),
  };
}
