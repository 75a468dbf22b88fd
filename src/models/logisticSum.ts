import type { NumberTable } from "../data/csv.js";
import type { SmoothSum } from "./finiteSum.js";
import { signedRows } from "./signedRows.js";

/** The negative log-posterior of a logistic regression as a finite sum. */
export interface LogisticSum extends SmoothSum {
  /** ∇²F at a point, `[D · D]` row by row. */
  hessian(point: Float64Array): Float64Array;
}

/**
 * Logistic regression's MAP as a finite sum: `F(w) = −(1/N) log p(y, w) = (1/N) Σ_i [log(1 + exp(−s_i x_iᵀ w)) + ‖w‖² / (2 N σ²)]`, s = 2y − 1, without the prior's
 * constant.
 *
 * `L = max_i ‖x_i‖²/4 + 1/(N σ²)` and `μ = 1/(N σ²)` hold everywhere; near the optimum the likelihood adds to μ.
 *
 * @param options.rows - rows (y, x), y 0 or 1; for an intercept x begins with a 1.
 * @param options.priorScale - σ of the coefficients' prior N(0, σ² I).
 * @throws RangeError if there are no rows or no inputs, a label is not 0 or 1, a number is not finite, or σ is not positive.
 */
export function logisticSum(options: { readonly rows: NumberTable; readonly priorScale: number }): LogisticSum {
  const { rows, priorScale } = options;
  const { x, signed, n, D } = signedRows("logisticSum", rows);
  if (!(priorScale > 0 && priorScale < Infinity))
    throw new RangeError(`logisticSum: priorScale must be positive and finite, not ${priorScale}.`);
  const ridge = 1 / (n * priorScale ** 2);
  let longest = 0;
  for (let i = 0; i < n; i++) longest = Math.max(longest, squaredLength(x, i, D));
  return {
    name: "logistic regression, −log p(y, w) / N",
    size: n,
    dimension: D,
    smoothness: longest / 4 + ridge,
    strongConvexity: ridge,
    accumulate: (point, batch, gradient) => {
      let [value, squares] = [0, 0];
      for (let d = 0; d < D; d++) squares += point[d] * point[d];
      for (let j = 0; j < batch.length; j++) {
        const i = batch[j];
        const margin = signed[i] * product(x, i, D, point);
        value += margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin;
        const slope = -signed[i] / (1 + Math.exp(margin));
        for (let d = 0; d < D; d++) gradient[d] += slope * x[i * D + d] + ridge * point[d];
      }
      return value + (batch.length * ridge * squares) / 2;
    },
    hessian: (point) => {
      const out = new Float64Array(D * D);
      for (let i = 0; i < n; i++) {
        const p = 1 / (1 + Math.exp(-product(x, i, D, point)));
        const weight = (p * (1 - p)) / n;
        for (let d = 0; d < D; d++) for (let e = 0; e < D; e++) out[d * D + e] += weight * x[i * D + d] * x[i * D + e];
      }
      for (let d = 0; d < D; d++) out[d * D + d] += ridge;
      return out;
    },
  };
}

function product(x: Float64Array, row: number, D: number, w: Float64Array): number {
  let total = 0;
  for (let d = 0; d < D; d++) total += x[row * D + d] * w[d];
  return total;
}

function squaredLength(x: Float64Array, row: number, D: number): number {
  let total = 0;
  for (let d = 0; d < D; d++) total += x[row * D + d] ** 2;
  return total;
}
