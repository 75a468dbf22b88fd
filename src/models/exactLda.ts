import type { Corpus } from "../data/ldaC.js";
import { logGamma } from "../diagnostics/specialFunctions.js";
import { allAssignments, type EnumeratedAssignments, enumeratedAssignments } from "./enumeratedAssignments.js";
import type { LatentDirichletAllocation } from "./latentDirichletAllocation.js";

/** A tiny corpus under LDA, everything by enumeration of its tokens' topics. */
export interface ExactLda extends EnumeratedAssignments {
  /** How many tokens. */
  readonly tokens: number;
  /** The entry (document, word) of each token, `[tokens]`. */
  readonly entries: Int32Array;
}

/** Assignments that are enumerated at most. */
const most = 2 ** 18;

/**
 * LDA of a few tokens by enumeration of all K^n assignments: `log p(w, z)` is a sum of log-ratios of Γ, with topics and proportions integrated out.
 *
 * It gives what approximations are ordered by: log p(w) ≥ the collapsed optimum ≥ the ELBO of VB, since integrating θ and β out of a bound leaves them at their optimum given z.
 *
 * @throws RangeError if the corpus has another vocabulary than the model, a count is no integer, or there are more than 2¹⁸ assignments.
 * Source: Teh, Newman & Welling 2007, "A collapsed variational Bayesian inference algorithm for latent Dirichlet allocation".
 */
export function exactLda(options: {
  /** K, V, α and η are its own; its local step is not used. */
  readonly model: LatentDirichletAllocation;
  /** Over the model's vocabulary. */
  readonly corpus: Corpus;
}): ExactLda {
  const { model, corpus } = options;
  const { topics: K, vocabulary: V, alpha, eta } = model;
  const { offsets, words, counts, size: D } = corpus;
  if (corpus.vocabulary !== V)
    throw new RangeError(`exactLda: the corpus has a vocabulary of ${corpus.vocabulary} words, the model one of ${V}.`);
  if (!counts.every(Number.isInteger)) throw new RangeError("exactLda: every count must be an integer.");
  const list: { readonly d: number; readonly entry: number }[] = [];
  for (let d = 0; d < D; d++)
    for (let entry = offsets[d]; entry < offsets[d + 1]; entry++)
      for (let copy = 0; copy < counts[entry]; copy++) list.push({ d, entry });
  const n = list.length;
  if (n === 0 || K ** n > most)
    throw new RangeError(`exactLda: ${n} tokens and ${K} topics; it enumerates from 1 to ${most} assignments.`);
  const logs = new Float64Array(K ** n);
  const topicsOf = allAssignments(n, K);
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
  return {
    tokens: n,
    entries: Int32Array.from(list, ({ entry }) => entry),
    ...enumeratedAssignments("exactLda", logs, topicsOf, K),
  };
}
