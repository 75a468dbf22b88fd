import type { Corpus } from "../data/ldaC.js";
import { logSumExp } from "../diagnostics/logSumExp.js";
import { logGamma } from "../diagnostics/specialFunctions.js";

/** A tiny corpus under LDA, everything by enumeration of its tokens' topics. */
export interface ExactLda {
  /** How many tokens. */
  readonly tokens: number;
  /** The entry (document, word) of each token, `[tokens]`. */
  readonly entries: Int32Array;
  /** log p(w) = log Σ_z p(w, z). */
  readonly logEvidence: number;
  /**
   * The collapsed bound `E_q[log p(w, z)] + H(q) ≤ log p(w)` of q(z) = Π_i φ_i, θ and β integrated out.
   *
   * @param shares - φ, `[tokens · K]`.
   */
  bound(shares: Float64Array): number;
  /**
   * Climbs to a local optimum of the collapsed bound from φ, by exact coordinate ascent `φ_i ∝ exp E[log p(w, z) | z_i]`.
   *
   * @param sweeps - default 200.
   */
  climb(shares: Float64Array, sweeps?: number): { readonly shares: Float64Array; readonly trace: readonly number[] };
}

/** Assignments that are enumerated at most. */
const most = 2 ** 18;

/**
 * LDA of a few tokens by enumeration of all K^n assignments: `log p(w, z)` is a sum of log-ratios of Γ, with topics and proportions integrated out.
 *
 * It gives what approximations are ordered by: log p(w) ≥ the collapsed optimum ≥ the ELBO of VB, since integrating θ and β out of a bound leaves them at their optimum given z.
 *
 * @throws RangeError if K < 2, α or η is not positive, a count is no integer, or there are more than 2¹⁸ assignments.
 * Source: Teh, Newman & Welling 2007, "A collapsed variational Bayesian inference algorithm for latent Dirichlet allocation".
 */
export function exactLda(options: {
  readonly corpus: Corpus;
  /** K. */
  readonly topics: number;
  readonly alpha: number;
  readonly eta: number;
}): ExactLda {
  const { corpus, topics: K, alpha, eta } = options;
  const { offsets, words, counts, size: D, vocabulary: V } = corpus;
  if (!Number.isInteger(K) || K < 2) throw new RangeError(`exactLda: topics must be an integer ≥ 2, not ${K}.`);
  if (!(alpha > 0 && eta > 0)) throw new RangeError(`exactLda: α and η must be positive, not ${alpha} and ${eta}.`);
  if (!counts.every(Number.isInteger)) throw new RangeError("exactLda: every count must be an integer.");
  const list: { readonly d: number; readonly entry: number }[] = [];
  for (let d = 0; d < D; d++)
    for (let entry = offsets[d]; entry < offsets[d + 1]; entry++)
      for (let copy = 0; copy < counts[entry]; copy++) list.push({ d, entry });
  const n = list.length;
  if (n === 0 || K ** n > most)
    throw new RangeError(`exactLda: ${n} tokens and ${K} topics; it enumerates from 1 to ${most} assignments.`);
  const logs = new Float64Array(K ** n);
  const topicsOf = new Uint8Array(logs.length * n); // of every token under every assignment
  for (let code = 0; code < logs.length; code++)
    for (let i = 0, rest = code; i < n; i++, rest = Math.floor(rest / K)) topicsOf[code * n + i] = rest % K;
  for (let code = 0; code < logs.length; code++) {
    const [inDocument, ofWord, inTopic] = [new Float64Array(D * K), new Float64Array(V * K), new Float64Array(K)];
    let log = 0;
    // Pólya's urn, token by token; documents' own normalisers do not depend on z.
    for (let i = 0; i < n; i++) {
      const { d, entry } = list[i];
      const k = topicsOf[code * n + i];
      log += Math.log((alpha + inDocument[d * K + k]++) * (eta + ofWord[words[entry] * K + k]++));
      log -= Math.log(V * eta + inTopic[k]++);
    }
    logs[code] = log;
  }
  for (let d = 0; d < D; d++) {
    let length = 0;
    for (let entry = offsets[d]; entry < offsets[d + 1]; entry++) length += counts[entry];
    const normaliser = logGamma(length + K * alpha) - logGamma(K * alpha);
    for (let code = 0; code < logs.length; code++) logs[code] -= normaliser;
  }
  const expectation = (shares: Float64Array, skipped: number, topic: number): number => {
    let total = 0;
    for (let code = 0; code < logs.length; code++) {
      const at = code * n;
      if (skipped >= 0 && topicsOf[at + skipped] !== topic) continue;
      let weight = 1;
      for (let i = 0; i < n && weight > 0; i++) if (i !== skipped) weight *= shares[i * K + topicsOf[at + i]];
      if (weight > 0) total += weight * logs[code];
    }
    return total;
  };
  const bound = (shares: Float64Array): number => {
    if (shares.length !== n * K)
      throw new RangeError(`exactLda: φ must have ${K} shares for each of ${n} tokens, not ${shares.length} numbers.`);
    return expectation(shares, -1, 0) - shares.reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0);
  };
  return {
    tokens: n,
    entries: Int32Array.from(list, ({ entry }) => entry),
    logEvidence: logSumExp(logs),
    bound,
    climb: (from, sweeps = 200) => {
      const shares = Float64Array.from(from);
      const trace = [bound(shares)];
      for (let sweep = 1; sweep <= sweeps; sweep++) {
        for (let i = 0; i < n; i++) {
          const own = Float64Array.from({ length: K }, (_, k) => expectation(shares, i, k));
          const whole = logSumExp(own);
          for (let k = 0; k < K; k++) shares[i * K + k] = Math.exp(own[k] - whole);
        }
        trace.push(bound(shares));
        if (trace[sweep] - trace[sweep - 1] < 1e-13) break;
      }
      return { shares, trace };
    },
  };
}
