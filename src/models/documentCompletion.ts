import type { Corpus } from "../data/ldaC.js";
import type { LatentDirichletAllocation, LdaGlobal } from "./latentDirichletAllocation.js";

/** A held-out score. */
export interface DocumentCompletion {
  /** Mean log-probability of a held-out token, in nats. */
  readonly perToken: number;
  /** How many tokens were held out. */
  readonly tokens: number;
}

/**
 * How well the first half of a document foretells the other: every second distinct word of each document is held out, q(θ) is fitted to the rest, and the
 * held-out tokens are scored by `log Σ_k E[θ_k] E[β_kw]`.
 *
 * The documents should be none that the topics were fitted to.
 *
 * @throws RangeError if no document has two distinct words, or as the model does.
 * Source: Hoffman, Blei, Wang & Paisley 2013, "Stochastic variational inference", section 4.
 */
export function documentCompletion(
  model: LatentDirichletAllocation,
  global: LdaGlobal,
  corpus: Corpus,
): DocumentCompletion {
  const K = model.topics;
  const seen = everySecond(corpus, 0);
  const held = everySecond(corpus, 1);
  if (held.words.length === 0)
    throw new RangeError("documentCompletion needs a document with at least two distinct words.");
  const { proportions } = model.local(global, seen).local!;
  const words = model.wordProbabilities(global);
  let total = 0;
  let tokens = 0;
  for (let d = 0; d < corpus.size; d++) {
    let mass = 0;
    for (let k = 0; k < K; k++) mass += proportions[d * K + k];
    for (let i = held.offsets[d]; i < held.offsets[d + 1]; i++) {
      let probability = 0;
      for (let k = 0; k < K; k++) probability += proportions[d * K + k] * words[held.words[i] * K + k];
      total += held.counts[i] * Math.log(probability / mass);
      tokens += held.counts[i];
    }
  }
  return { perToken: total / tokens, tokens };
}

/** The entries number `parity`, `parity` + 2, … of every document. */
function everySecond(corpus: Corpus, parity: 0 | 1): Corpus {
  const offsets = new Int32Array(corpus.size + 1);
  const entries: number[] = [];
  for (let d = 0; d < corpus.size; d++) {
    for (let i = corpus.offsets[d] + parity; i < corpus.offsets[d + 1]; i += 2) entries.push(i);
    offsets[d + 1] = entries.length;
  }
  return {
    size: corpus.size,
    vocabulary: corpus.vocabulary,
    offsets,
    words: Int32Array.from(entries, (i) => corpus.words[i]),
    counts: Float64Array.from(entries, (i) => corpus.counts[i]),
  };
}
