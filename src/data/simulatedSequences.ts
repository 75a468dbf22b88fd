import { choleskyFactor } from "../diagnostics/choleskyFactor.js";
import { firstAbove } from "../diagnostics/firstAbove.js";
import { foldIn, type Key } from "../engine/random.js";
import { type Sequences, sequencesOf } from "./sequences.js";
import { uniformStream } from "./uniformStream.js";

/** What the states of {@link simulatedSequences} emit: Gaussians `[D]` with covariances `[D · D]`, or symbols with probabilities `[V]`, a state each. */
export type SimulatedEmissions =
  | { readonly means: readonly ArrayLike<number>[]; readonly covariances: readonly ArrayLike<number>[] }
  | { readonly probabilities: readonly ArrayLike<number>[] };

/** Sequences with the states that made them. */
export interface SimulatedSequences extends Sequences {
  /** The state of each observation, from 0. */
  readonly states: Int32Array;
}

/**
 * Sequences drawn from a hidden Markov model with known parameters: `z_1 ~ π`, `z_{t+1} ~ A_{z_t}`, x_t from the emission of z_t.
 *
 * Drawn in JavaScript from the key, so they are the same on every backend; a sequence does not depend on how many there are.
 *
 * @param options.initial - π, `[K]`, ≥ 0, not all 0; it need not sum to 1.
 * @param options.transitions - A, `[K · K]`, from row to column; as π, row by row.
 * @param options.lengths - of every sequence.
 * @throws RangeError if sizes do not fit each other, a length is no positive integer, weights are negative or all 0, or a covariance is not positive definite.
 */
export function simulatedSequences(options: {
  readonly key: Key;
  readonly initial: ArrayLike<number>;
  readonly transitions: ArrayLike<number>;
  readonly emissions: SimulatedEmissions;
  readonly lengths: readonly number[];
}): SimulatedSequences {
  const { key, initial, transitions, emissions, lengths } = options;
  const K = initial.length;
  const ofState = "means" in emissions ? emissions.means : emissions.probabilities;
  const covariances = "means" in emissions ? emissions.covariances : undefined;
  if (transitions.length !== K * K || ofState.length !== K || (covariances && covariances.length !== K)) {
    throw new RangeError(
      `simulatedSequences: ${K} states have ${K * K} transitions and ${K} emissions, not ${transitions.length} and ${ofState.length}.`,
    );
  }
  const size = ofState[0].length;
  if (ofState.some((of) => of.length !== size) || covariances?.some((of) => of.length !== size * size))
    throw new RangeError("simulatedSequences: every state must emit as many columns or symbols as the first.");
  const first = cumulative("the first state", initial);
  const next = Array.from({ length: K }, (_, k) =>
    cumulative(`the transitions from state ${k}`, Array.from(transitions).slice(k * K, (k + 1) * K)),
  );
  const symbols = covariances ? undefined : ofState.map((p, k) => cumulative(`the symbols of state ${k}`, p));
  const factors = covariances?.map((of, k) =>
    choleskyFactor(Float64Array.from(of), size, `simulatedSequences: the covariance of state ${k}`),
  );
  const states: number[] = [];
  const sequences = lengths.map((length, s) => {
    if (!Number.isInteger(length) || length < 1)
      throw new RangeError(
        `simulatedSequences: the length of sequence ${s} must be a positive integer, not ${length}.`,
      );
    const draw = uniformStream(foldIn(key, s));
    const out: number[] = [];
    for (let t = 0; t < length; t++) {
      const state = firstAbove(t === 0 ? first : next[states[states.length - 1]], draw());
      states.push(state);
      if (symbols) out.push(firstAbove(symbols[state], draw()));
      else out.push(...gaussian(draw, ofState[state], factors![state]));
    }
    return out;
  });
  return { ...sequencesOf(sequences, symbols ? 1 : size), states: Int32Array.from(states) };
}

/** The running shares of weights. */
function cumulative(what: string, weights: ArrayLike<number>): Float64Array {
  let total = 0;
  const sums = Float64Array.from(weights, (weight) => {
    if (!(weight >= 0)) throw new RangeError(`simulatedSequences: a weight of ${what} is ${weight}, but must be ≥ 0.`);
    total += weight;
    return total;
  });
  if (!(total > 0 && total < Infinity))
    throw new RangeError(`simulatedSequences: the weights of ${what} sum to ${total}; give some that are positive.`);
  return sums.map((sum) => sum / total);
}

/** μ + L ε, by Box and Muller. */
function gaussian(draw: () => number, mean: ArrayLike<number>, factor: Float64Array): Float64Array {
  const D = mean.length;
  const noise = Float64Array.from({ length: D }, () => {
    const radius = Math.sqrt(-2 * Math.log(draw()));
    return radius * Math.cos(2 * Math.PI * draw());
  });
  return noise.map((_, i) => {
    let value = mean[i];
    for (let j = 0; j <= i; j++) value += factor[i * D + j] * noise[j];
    return value;
  });
}
