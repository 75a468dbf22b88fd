import { type DescentOptions, type DescentResult, descend } from "./finiteSumDescent.js";

/** Numbers that the table may hold: 1 GiB. */
const largestTable = 2 ** 27;

/**
 * SAGA: `g = (1/S) Σ_{i in B} (∇f_i(x) − a_i) + (1/N) Σ_j a_j`, where a_i is the gradient of term i when it was last drawn.
 *
 * Unbiased, with an error that goes to zero as SVRG's, but without full passes after the first: S gradients of terms a step, and a table of N · D numbers. With
 * the rate 1/(3L) it converges linearly (see `sagaContraction`).
 *
 * @throws RangeError if an option is out of range, the table would have more than 2²⁷ numbers, the objective becomes not finite, or a rate is not positive (the error
 *   names the step); Error if a term is not deterministic, with the reason.
 * Source: Defazio, Bach & Lacoste-Julien 2014, "SAGA: a fast incremental gradient method with support for non-strongly convex composite objectives", equation 1.
 */
export function saga(options: DescentOptions): Promise<DescentResult> {
  return descend("saga", options, (sum, S) => {
    const { size: N, dimension: D } = sum;
    if (N * D > largestTable)
      throw new RangeError(
        `saga: a table of ${N} gradients in ${D} dimensions does not fit its ${largestTable} numbers; use svrg, which keeps one snapshot.`,
      );
    const table = new Float64Array(N * D);
    const mean = new Float64Array(D);
    const term = new Float64Array(D);
    const row = new Int32Array(1);
    return {
      prepare: async (step, point) => {
        if (step > 0) return { evaluated: 0 };
        for (let i = 0; i < N; i++) {
          row[0] = i;
          const entry = table.subarray(i * D, (i + 1) * D);
          sum.accumulate(point, row, entry);
          for (let d = 0; d < D; d++) mean[d] += entry[d] / N;
        }
        return { evaluated: N };
      },
      estimate: (point, rows, into) => {
        // The table's mean enters as it was before this step's gradients replace their entries.
        into.set(mean);
        for (let j = 0; j < rows.length; j++) {
          row[0] = rows[j];
          term.fill(0);
          sum.accumulate(point, row, term);
          const at = rows[j] * D;
          for (let d = 0; d < D; d++) {
            const change = term[d] - table[at + d];
            into[d] += change / S;
            mean[d] += change / N;
            table[at + d] = term[d];
          }
        }
        return S;
      },
      control: ([i], into, weight) => {
        for (let d = 0; d < D; d++) into[d] += weight * table[i * D + d];
      },
    };
  });
}

/**
 * The factor by which a step of SAGA with rate 1/(3L) shrinks its potential, and so bounds E ‖x − x*‖² up to a constant, at worst: `1 − min(1/(4N), μ/(3L))`.
 *
 * For convex terms with L-Lipschitz gradients, a μ-strongly convex sum, and single terms as minibatches (S = 1).
 *
 * @throws RangeError if N, L or μ is not positive.
 * Source: Defazio, Bach & Lacoste-Julien 2014, corollary 1.
 */
export function sagaContraction(options: {
  /** N. */
  readonly size: number;
  /** L. */
  readonly smoothness: number;
  /** μ. */
  readonly strongConvexity: number;
}): number {
  for (const [name, value] of Object.entries(options)) {
    if (!(value > 0 && value < Infinity))
      throw new RangeError(`sagaContraction: ${name} must be positive and finite, not ${value}.`);
  }
  return 1 - Math.min(1 / (4 * options.size), options.strongConvexity / (3 * options.smoothness));
}
