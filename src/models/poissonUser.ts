import type { SparseRows } from "../data/sparseRows.js";
import { digamma, logGamma } from "../diagnostics/specialFunctions.js";
import { documentMemory } from "./ldaPull.js";
import { expDigammas, type WordTable } from "./ldaWordTable.js";

/**
 * The update of one user of a Poisson factorisation as a function of its number, with its memory allocated once. It leaves the shapes of q(θ) in `shapes`, adds
 * e^{E log θ_k} y_i / Σ_j … to `gathered`, and returns the user's bound.
 *
 * The rates are at their optimum r, alike for all users, so 1/r_k stands in the table's rows, and what is left to iterate is LDA's update of a document.
 */
export function userStep(inputs: {
  readonly counts: SparseRows;
  /** e^{E log β_ik}/r_k of the items of the batch. */
  readonly table: WordTable;
  readonly gathered: Float64Array;
  /** Shapes to start from, and then the result, `[size · K]`. */
  readonly shapes: Float64Array;
  /** r, `[K]`. */
  readonly rates: Float64Array;
  /** An earlier q(θ), gone on from where that gives more. */
  readonly earlier: { readonly shapes: Float64Array; readonly rates: Float64Array } | undefined;
  readonly priorShape: number;
  readonly priorRate: number;
  readonly tolerance: number;
  readonly maxUpdates: number;
}): (user: number) => number {
  const { counts, table, gathered, shapes, rates, earlier, priorShape, priorRate, tolerance, maxUpdates } = inputs;
  const { offsets, values } = counts;
  const K = rates.length;
  let longest = 0;
  for (let u = 0; u < counts.size; u++) longest = Math.max(longest, offsets[u + 1] - offsets[u]);
  const { stride, rows, counts: own, theta, pull, pullOfWords } = documentMemory(longest, K);
  const norms = new Float64Array(longest);
  let constant = -K * logGamma(priorShape); // A(prior) of all components, and the logs of the rates
  for (let k = 0; k < K; k++) constant -= priorShape * Math.log(rates[k] / priorRate);
  let offset = 0;
  const look = (u: number): void => {
    offset = expDigammas(shapes, u * K, theta, 0, K);
  };
  const update = (u: number, n: number): number => {
    pullOfWords(n);
    let change = 0;
    for (let k = 0; k < K; k++) {
      const next = priorShape + theta[k] * pull[k];
      change += Math.abs(next - shapes[u * K + k]);
      shapes[u * K + k] = next;
    }
    look(u);
    return change;
  };
  const settle = (u: number, n: number): void => {
    for (let i = 0; i < maxUpdates; i++) if (update(u, n) < tolerance * K) break;
  };
  const boundOf = (u: number, first: number, n: number): number => {
    let bound = constant;
    for (let i = 0, at = 0; i < n; i++, at += stride) {
      let norm = 0;
      for (let k = 0; k < K; k++) norm += theta[k] * rows[at + k];
      norms[i] = norm;
      bound += own[i] * (Math.log(norm) + offset + table.offsets[table.rowOf[first + i]]);
      if (own[i] > 1) bound -= logGamma(own[i] + 1);
    }
    for (let k = 0; k < K; k++) {
      const shape = shapes[u * K + k];
      bound += logGamma(shape) - (shape - priorShape) * digamma(shape);
    }
    return bound;
  };
  return (u) => {
    const first = offsets[u];
    const n = offsets[u + 1] - first;
    for (let i = 0; i < n; i++) {
      const at = table.rowOf[first + i] * K;
      for (let k = 0; k < K; k++) rows[i * stride + k] = table.rows[at + k];
      own[i] = values[first + i];
    }
    // Whole groups of four items: one with count 0 pulls nothing.
    rows.fill(1, n * stride, (n + 3) * stride);
    own.fill(0, n, n + 3);
    look(u);
    settle(u, n);
    let bound = boundOf(u, first, n);
    if (earlier) {
      const anew = shapes.slice(u * K, (u + 1) * K);
      shapes.set(earlier.shapes.subarray(u * K, (u + 1) * K), u * K);
      look(u);
      // The earlier rates are no longer optimal: its first update is of q(z) at those, and only then of q(θ).
      for (let k = 0; k < K; k++) theta[k] *= rates[k] / earlier.rates[k];
      update(u, n);
      if (boundOf(u, first, n) > bound) settle(u, n);
      else {
        shapes.set(anew, u * K);
        look(u);
      }
      bound = boundOf(u, first, n);
    }
    if (!Number.isFinite(bound)) {
      throw new RangeError(
        `poissonFactorisation: the bound of user ${u} of the batch is ${bound}; check that every shape and rate is positive and finite, or raise the priors' shapes.`,
      );
    }
    for (let i = 0; i < n; i++) {
      const to = table.rowOf[first + i] * K;
      const share = own[i] / norms[i];
      for (let k = 0; k < K; k++) gathered[to + k] += share * theta[k];
    }
    return bound;
  };
}
