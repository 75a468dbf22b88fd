import type { NumberTable } from "../data/csv.js";
import { gaussHermite } from "../diagnostics/quadrature.js";
import type { Key } from "../engine/random.js";
import { unit } from "../engine/random.js";
import { threefry2x32 } from "../engine/threefry.js";
import type { FiniteSum } from "./finiteSum.js";
import { signedRows } from "./signedRows.js";

/**
 * How a term's expectation under q is taken: by Gauss–Hermite quadrature; by `draws` numbers for each datum, drawn once and held; or by one number drawn anew in every
 * evaluation, which makes the terms random.
 */
export type TermExpectation =
  | { readonly kind: "quadrature"; readonly nodes: number }
  | { readonly kind: "held"; readonly draws: number; readonly key: Key }
  | { readonly kind: "fresh"; readonly key: Key };

/**
 * The negative ELBO of a logistic regression under `q = N(m, diag s²)` as a sum over its data: `F(m, log s) = (1/N) Σ_i [E_ε log(1 + exp(−u_i)) + KL(q ‖ N(0, σ² I)) / N]`,
 * `u_i = sign_i (x_iᵀ m + ε √(Σ_d x_id² s_d²))`, ε ~ N(0, 1).
 *
 * Each expectation is one-dimensional. By quadrature (or draws that are held) the sum is finite and SVRG and SAGA apply; with a fresh ε, as in black-box inference,
 * it is not, and they do not.
 *
 * The point is `[2D]`, m then log s.
 *
 * @throws RangeError if there are no rows or no inputs, a label is not 0 or 1, a number is not finite, σ is not positive, or there are no nodes or draws.
 */
export function gaussianLogisticSum(options: {
  /** Rows (y, x), y 0 or 1; for an intercept x begins with a 1. */
  readonly rows: NumberTable;
  /** σ. */
  readonly priorScale: number;
  readonly expectation: TermExpectation;
}): FiniteSum {
  const { rows, priorScale, expectation } = options;
  const { x, signed, n, D } = signedRows("gaussianLogisticSum", rows);
  if (!(priorScale > 0 && priorScale < Infinity))
    throw new RangeError(`gaussianLogisticSum: priorScale must be positive and finite, not ${priorScale}.`);
  const { nodes, weights } = nodesOf(expectation, n);
  return {
    name: "mean-field Gaussian logistic regression, −ELBO / N",
    size: n,
    dimension: 2 * D,
    accumulate: (point, batch, gradient) => {
      const variances = new Float64Array(D);
      let kl = 0;
      for (let d = 0; d < D; d++) {
        variances[d] = Math.exp(2 * point[D + d]);
        kl += (variances[d] + point[d] ** 2) / (2 * priorScale ** 2) - 0.5 - point[D + d] + Math.log(priorScale);
      }
      let value = (batch.length * kl) / n;
      for (let d = 0; d < D; d++) {
        gradient[d] += (batch.length * point[d]) / (n * priorScale ** 2);
        gradient[D + d] += (batch.length * (variances[d] / priorScale ** 2 - 1)) / n;
      }
      for (let j = 0; j < batch.length; j++) {
        const i = batch[j];
        let [along, spread] = [0, 0];
        for (let d = 0; d < D; d++) {
          along += x[i * D + d] * point[d];
          spread += x[i * D + d] ** 2 * variances[d];
        }
        const deviation = Math.sqrt(spread);
        const epsilons = nodes(i);
        let [slope, across] = [0, 0]; // ∂/∂(xᵀm) and ∂/∂√spread
        for (let q = 0; q < epsilons.length; q++) {
          const margin = signed[i] * (along + epsilons[q] * deviation);
          value += weights[q] * (Math.log1p(Math.exp(-Math.abs(margin))) + Math.max(-margin, 0));
          const share = (-weights[q] * signed[i]) / (1 + Math.exp(margin));
          slope += share;
          across += share * epsilons[q];
        }
        for (let d = 0; d < D; d++) {
          const input = x[i * D + d];
          gradient[d] += slope * input;
          if (deviation > 0) gradient[D + d] += (across * input * input * variances[d]) / deviation;
        }
      }
      return value;
    },
  };
}

/** The values of ε of a datum and their weights. */
function nodesOf(
  expectation: TermExpectation,
  n: number,
): { readonly nodes: (datum: number) => Float64Array; readonly weights: Float64Array } {
  if (expectation.kind === "quadrature") {
    const { points, logWeights } = gaussHermite(expectation.nodes);
    return { nodes: () => points, weights: logWeights.map(Math.exp) };
  }
  const { words } = expectation.key;
  if (expectation.kind === "fresh") {
    let evaluations = 0;
    const node = new Float64Array(1);
    return {
      nodes: () => {
        node[0] = gaussian(threefry2x32(words, [evaluations++, 0]));
        return node;
      },
      weights: Float64Array.of(1),
    };
  }
  const { draws } = expectation;
  if (!Number.isInteger(draws) || draws < 1)
    throw new RangeError(`gaussianLogisticSum: draws must be a positive integer, not ${draws}.`);
  const held = Float64Array.from({ length: n * draws }, (_, at) => gaussian(threefry2x32(words, [at, 0])));
  return {
    nodes: (i) => held.subarray(i * draws, (i + 1) * draws),
    weights: new Float64Array(draws).fill(1 / draws),
  };
}

/** Box and Muller's transform of two words. */
function gaussian([first, second]: readonly [number, number]): number {
  return Math.sqrt(-2 * Math.log(unit(first))) * Math.cos(2 * Math.PI * unit(second));
}
