/** A chain of T hidden states, K of them, as unnormalised log-probabilities: `p(z) ∝ exp(a_{z_1} + Σ_t A_{z_t z_{t+1}} + Σ_t B_{t z_t})`. */
export interface Chain {
  /** a, `[K]`. */
  readonly logInitial: Float64Array;
  /** A, `[K · K]`, from row to column. */
  readonly logTransitions: Float64Array;
  /** B, `[T · K]`, row by row. */
  readonly logEmissions: Float64Array;
}

/** What {@link forwardBackward} returns. */
export interface Smoothed {
  /** log Σ_z exp(…). */
  readonly logNormaliser: number;
  /** p(z_t = k), `[T · K]`. */
  readonly marginals: Float64Array;
  /** Σ_t p(z_t = i, z_{t+1} = j), `[K · K]`. */
  readonly transitions: Float64Array;
}

/**
 * Forward–backward: the normaliser, the marginals and the pairwise marginals of a chain, in O(T K²).
 *
 * No row has to be normalised: in variational inference the entries are expectations of logs.
 *
 * @throws RangeError if the lengths do not fit each other, or no sequence of states has a positive and finite weight.
 * Source: Rabiner 1989, "A tutorial on hidden Markov models", sections III.A and V.A (scaling).
 */
export function forwardBackward(chain: Chain): Smoothed {
  const K = chain.logInitial.length;
  const T = chain.logEmissions.length / K;
  if (K < 1 || chain.logTransitions.length !== K * K || !Number.isInteger(T) || T < 1) {
    throw new RangeError(
      `forwardBackward: with ${K} states give ${K * K} transitions and ${K} emissions for each of at least one time, not ${chain.logTransitions.length} and ${chain.logEmissions.length}.`,
    );
  }
  const [marginals, transitions] = [new Float64Array(T * K), new Float64Array(K * K)];
  const smooth = chainSmoother(chain.logInitial, chain.logTransitions);
  return { logNormaliser: smooth(chain.logEmissions, marginals, transitions), marginals, transitions };
}

/** Smooths a chain of emissions B: writes its marginals, adds to the pairwise sums, and returns its log-normaliser. */
export type ChainSmoother = (logEmissions: Float64Array, marginals: Float64Array, transitions: Float64Array) => number;

/** log of the least transition with which scaled numbers are safe. */
const leastLog = -300;

/**
 * Forward–backward for many chains with the same initial and transition weights.
 *
 * Probabilities are scaled at each time, not logarithms, so a step takes K exponentials. That is safe while every transition is above e⁻³⁰⁰: a state that underflows (below
 * 1e-308 of a best one that is itself at least 1e-130 of the rest) is then below 1e-170, and its part in any other state below 1e-40. Where a transition is
 * less, as a sparse prior has for one that was never seen, or none, all is done in logs.
 */
export function chainSmoother(logInitial: Float64Array, logTransitions: Float64Array): ChainSmoother {
  const inLogs = logTransitions.some((log) => !(log > leastLog));
  const smooth = inLogs ? smootherInLogs(logInitial, logTransitions) : scaledSmoother(logInitial, logTransitions);
  return (logEmissions, marginals, transitions) => {
    const logNormaliser = smooth(logEmissions, marginals, transitions);
    if (!Number.isFinite(logNormaliser)) {
      throw new RangeError(
        `forwardBackward: the chain's log-normaliser is ${logNormaliser}: no sequence of states has a positive and finite weight; check the emissions' log-probabilities.`,
      );
    }
    return logNormaliser;
  };
}

function scaledSmoother(logInitial: Float64Array, logTransitions: Float64Array): ChainSmoother {
  const K = logInitial.length;
  const weights = logTransitions.map(Math.exp);
  const [ahead, back, pairs] = [new Float64Array(K), new Float64Array(K), new Float64Array(K * K)];
  let emissions = new Float64Array(0);
  return (logEmissions, marginals, transitions) => {
    const T = logEmissions.length / K;
    if (emissions.length < T * K) emissions = new Float64Array(T * K);
    // Forward: `marginals` holds p(z_t | b_1 … b_t) for now.
    let logNormaliser = 0;
    for (let t = 0, at = 0; t < T; t++, at += K) {
      let most = -Infinity;
      for (let k = 0; k < K; k++) {
        const log = t === 0 ? logInitial[k] + logEmissions[k] : logEmissions[at + k];
        if (log > most) most = log;
      }
      if (t > 0) {
        for (let j = 0; j < K; j++) marginals[at + j] = 0;
        for (let i = 0; i < K; i++) {
          const from = marginals[at - K + i];
          for (let j = 0; j < K; j++) marginals[at + j] += from * weights[i * K + j];
        }
      }
      let total = 0;
      for (let k = 0; k < K; k++) {
        emissions[at + k] = Math.exp(logEmissions[at + k] - most);
        if (t === 0) marginals[k] = Math.exp(logInitial[k] + logEmissions[k] - most);
        else marginals[at + k] *= emissions[at + k];
        total += marginals[at + k];
      }
      for (let k = 0; k < K; k++) marginals[at + k] /= total;
      logNormaliser += most + Math.log(total);
    }
    // Backward: `back` is p(b_{t+1} … b_T | z_t), up to a factor.
    back.fill(1);
    pairs.fill(0);
    for (let at = (T - 2) * K; at >= 0; at -= K) {
      let largest = 0;
      for (let j = 0; j < K; j++) {
        ahead[j] = emissions[at + K + j] * back[j];
        if (ahead[j] > largest) largest = ahead[j];
      }
      for (let j = 0; j < K; j++) ahead[j] /= largest;
      let total = 0;
      for (let i = 0; i < K; i++) {
        let sum = 0;
        for (let j = 0; j < K; j++) sum += weights[i * K + j] * ahead[j];
        back[i] = sum;
        total += marginals[at + i] * sum;
      }
      for (let i = 0; i < K; i++) {
        const share = marginals[at + i] / total;
        marginals[at + i] = share * back[i];
        for (let j = 0; j < K; j++) pairs[i * K + j] += share * ahead[j];
      }
    }
    for (let i = 0; i < K * K; i++) transitions[i] += weights[i] * pairs[i];
    return logNormaliser;
  };
}

function smootherInLogs(logInitial: Float64Array, logTransitions: Float64Array): ChainSmoother {
  const K = logInitial.length;
  const [ahead, back, terms, pairs] = [K, K, K, K * K].map((length) => new Float64Array(length));
  return (logEmissions, marginals, transitions) => {
    const T = logEmissions.length / K;
    const forward = new Float64Array(T * K);
    for (let at = 0; at < T * K; at += K) {
      for (let j = 0; j < K; j++) {
        for (let i = 0; i < K; i++) terms[i] = at === 0 ? -Infinity : forward[at - K + i] + logTransitions[i * K + j];
        forward[at + j] = (at === 0 ? logInitial[j] : logSum(terms)) + logEmissions[at + j];
      }
    }
    const last = forward.subarray((T - 1) * K);
    const logNormaliser = logSum(last);
    if (!Number.isFinite(logNormaliser)) return logNormaliser;
    for (let k = 0; k < K; k++) marginals[(T - 1) * K + k] = Math.exp(last[k] - logNormaliser);
    back.fill(0);
    for (let at = (T - 2) * K; at >= 0; at -= K) {
      for (let j = 0; j < K; j++) ahead[j] = logEmissions[at + K + j] + back[j];
      for (let i = 0; i < K; i++) {
        for (let j = 0; j < K; j++) {
          terms[j] = logTransitions[i * K + j] + ahead[j];
          pairs[i * K + j] = forward[at + i] + terms[j];
        }
        back[i] = logSum(terms);
      }
      const total = logSum(pairs); // log-normaliser again, but with this time's rounding
      for (let i = 0; i < K; i++) {
        marginals[at + i] = 0;
        for (let j = 0; j < K; j++) {
          const share = Math.exp(pairs[i * K + j] - total);
          marginals[at + i] += share;
          transitions[i * K + j] += share;
        }
      }
    }
    return logNormaliser;
  };
}

/** log Σ_i exp(x_i), −∞ where all are. */
function logSum(x: Float64Array): number {
  let most = -Infinity;
  for (let i = 0; i < x.length; i++) if (x[i] > most) most = x[i];
  if (most === -Infinity) return x.some(Number.isNaN) ? Number.NaN : most;
  let total = 0;
  for (let i = 0; i < x.length; i++) total += Math.exp(x[i] - most);
  return most + Math.log(total);
}
