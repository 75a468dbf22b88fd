import type { Sequences } from "../data/sequences.js";
import { dirichletFamily } from "../families/dirichletFamily.js";
import type { HiddenMarkovModel, HmmGlobal } from "./hiddenMarkovModel.js";

/** What {@link exactHiddenMarkovModel} sums up. */
export interface ExactHiddenMarkovModel {
  /** log p(x). */
  readonly logEvidence: number;
  /** p(z_s = z_t | x) of all pairs of observations of the batch, `[observations · observations]`: it does not depend on how states are numbered. */
  readonly together: Float64Array;
}

/** Sequences of states that are enumerated at most. */
const most = 2 ** 18;

/**
 * The exact posterior of a hidden Markov model of few observations, by enumeration of all states: `p(x) = Σ_z p(x, z)` with all parameters integrated out,
 * `log p(x, z) = A(prior + t(x, z)) − A(prior) + log h(x)`.
 *
 * @throws RangeError if there are more than 2¹⁸ sequences of states; as the model does.
 */
export function exactHiddenMarkovModel<Parameters>(
  model: HiddenMarkovModel<Parameters>,
  batch: Sequences,
): ExactHiddenMarkovModel {
  const { states: K, emissions, prior } = model;
  const T = batch.offsets[batch.size];
  const count = K ** T;
  if (count > most) {
    throw new RangeError(
      `exactHiddenMarkovModel: ${T} observations of ${K} states have ${count} sequences of states, more than ${most}.`,
    );
  }
  const dirichlet = dirichletFamily(K);
  const logNormaliser = (global: HmmGlobal): number => {
    let total = dirichlet.logNormaliser(global.initial) + emissions.logNormaliser(global.emissions);
    for (let k = 0; k < K; k++) total += dirichlet.logNormaliser(global.transitions.subarray(k * K, (k + 1) * K));
    return total;
  };
  const isFirst = new Uint8Array(T);
  for (let s = 0; s < batch.size; s++) isFirst[batch.offsets[s]] = 1;
  const base = T * emissions.logBase - logNormaliser(prior);
  const logs = new Float64Array(count);
  const states = new Int32Array(T);
  const read = (code: number): void => {
    for (let t = 0, rest = code; t < T; t++, rest = Math.floor(rest / K)) states[t] = rest % K;
  };
  let largest = -Infinity;
  for (let code = 0; code < count; code++) {
    read(code);
    const [initial, transitions] = [Float64Array.from(prior.initial), Float64Array.from(prior.transitions)];
    const weights = new Float64Array(T * K);
    for (let t = 0; t < T; t++) {
      weights[t * K + states[t]] = 1;
      if (isFirst[t]) initial[states[t]] += 1;
      else transitions[states[t - 1] * K + states[t]] += 1;
    }
    const statistics = emissions.statistics(batch, weights);
    const natural = prior.emissions.map((value, i) => value + statistics[i]);
    logs[code] = base + logNormaliser({ initial, transitions, emissions: natural });
    if (logs[code] > largest) largest = logs[code];
  }
  let total = 0;
  const together = new Float64Array(T * T);
  for (let code = 0; code < count; code++) {
    read(code);
    const weight = Math.exp(logs[code] - largest);
    total += weight;
    for (let s = 0; s < T; s++) {
      for (let t = 0; t < T; t++) if (states[s] === states[t]) together[s * T + t] += weight;
    }
  }
  return { logEvidence: largest + Math.log(total), together: together.map((value) => value / total) };
}
