import { firstAbove } from "../diagnostics/firstAbove.js";
import { foldIn, type Key } from "../engine/random.js";
import { uniforms } from "../models/randomStart.js";

/** Rows of a minibatch, and what each counts in an estimate of the sum over all data. */
export interface WeightedRows {
  readonly rows: Int32Array;
  readonly weight: number;
}

/**
 * The rows of a step's minibatch drawn with replacement, row i with probability p_i, each with the weight `1/(S p_i)` that makes the weighted sum of
 * anything over the minibatch an unbiased estimate of its sum over the data.
 *
 * Rows of equal weight stand together, a row as often as it was drawn: where a call for each weight costs something, give probabilities of few values. The
 * variance of the sum of t_i is `(Σ_i ‖t_i‖²/p_i − ‖Σ_i t_i‖²)/S`, least for p_i ∝ ‖t_i‖.
 *
 * @param probabilities - p, positive, of sum 1 within 1e-9.
 * @param size - S.
 * @throws RangeError if a probability is not positive, they do not add up to 1, or S is not a positive integer.
 * Source: Zhang et al. 2018, section 4.2 (non-uniform sampling).
 */
export function importanceRows(
  key: Key,
  probabilities: Float64Array,
  size: number,
): (step: number) => readonly WeightedRows[] {
  if (!Number.isInteger(size) || size < 1)
    throw new RangeError(`importanceRows: the size of a minibatch must be a positive integer, not ${size}.`);
  const cumulative = new Float64Array(probabilities.length);
  let total = 0;
  for (let i = 0; i < probabilities.length; i++) {
    if (!(probabilities[i] > 0 && probabilities[i] <= 1)) {
      throw new RangeError(
        `importanceRows: every row needs a probability in (0, 1], but that of row ${i} is ${probabilities[i]}.`,
      );
    }
    total += probabilities[i];
    cumulative[i] = total;
  }
  if (!(Math.abs(total - 1) < 1e-9))
    throw new RangeError(`importanceRows: the probabilities add up to ${total}, not to 1; divide them by their sum.`);
  return (step) => {
    const drawn = Int32Array.from(uniforms(foldIn(key, step), size), (u) => firstAbove(cumulative, u * total)).sort();
    return weightedRows(drawn, probabilities);
  };
}

/**
 * Rows that were drawn, in groups of equal weight `1/(S p_i)`.
 *
 * @internal
 */
export function weightedRows(drawn: Int32Array, probabilities: Float64Array): readonly WeightedRows[] {
  const groups = new Map<number, number[]>();
  for (const row of drawn) {
    const weight = 1 / (drawn.length * probabilities[row]);
    const group = groups.get(weight);
    if (group) group.push(row);
    else groups.set(weight, [row]);
  }
  return Array.from(groups, ([weight, rows]) => ({ rows: Int32Array.from(rows), weight }));
}
