import type { NumberTable } from "../data/csv.js";
import type { CurvedSum } from "./finiteSum.js";
import { signedRows } from "./signedRows.js";

/**
 * The negative log-likelihood of a logistic regression, a term for each row and no prior: `f_i(w) = log(1 + exp(−s_i x_iᵀ w))`, s = 2y − 1.
 *
 * @param rows - rows (y, x), y 0 or 1; for an intercept x begins with a 1.
 * @throws RangeError if there are no rows or no inputs, a label is not 0 or 1, or a number is not finite.
 */
export function logisticTerms(rows: NumberTable): CurvedSum {
  const { x, signed, n, D } = signedRows("logisticTerms", rows);
  const along = (i: number, point: Float64Array): number => {
    let total = 0;
    for (let d = 0; d < D; d++) total += x[i * D + d] * point[d];
    return total;
  };
  return {
    name: "logistic regression, −log p(y | w)",
    size: n,
    dimension: D,
    accumulate: (point, batch, gradient) => {
      let value = 0;
      for (let j = 0; j < batch.length; j++) {
        const i = batch[j];
        const margin = signed[i] * along(i, point);
        value += Math.log1p(Math.exp(-Math.abs(margin))) + Math.max(-margin, 0);
        const slope = -signed[i] / (1 + Math.exp(margin));
        for (let d = 0; d < D; d++) gradient[d] += slope * x[i * D + d];
      }
      return value;
    },
    accumulateHessian: (point, batch, hessian) => {
      for (let j = 0; j < batch.length; j++) {
        const i = batch[j];
        const p = 1 / (1 + Math.exp(-along(i, point)));
        for (let d = 0; d < D; d++) {
          const weighted = p * (1 - p) * x[i * D + d];
          for (let e = 0; e < D; e++) hessian[d * D + e] += weighted * x[i * D + e];
        }
      }
    },
  };
}
