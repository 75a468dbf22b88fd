import type { Corpus } from "./ldaC.js";

/** A corpus over fewer words, with what they were called. */
export interface FrequentWords {
  readonly corpus: Corpus;
  /** The words that were kept, the most frequent first: their numbers in the old vocabulary. */
  readonly kept: Int32Array;
}

/**
 * The same documents over their `count` most frequent words, numbered anew from the most frequent; all other words are left out. Of words that are as frequent, the one with
 * the lower number comes first.
 *
 * @throws RangeError if the count is not between 1 and the vocabulary's size.
 */
export function frequentWords(corpus: Corpus, count: number): FrequentWords {
  const V = corpus.vocabulary;
  if (!Number.isInteger(count) || count < 1 || count > V)
    throw new RangeError(`frequentWords: count must be an integer from 1 to the vocabulary's ${V}, not ${count}.`);
  const totals = new Float64Array(V);
  for (let i = 0; i < corpus.words.length; i++) totals[corpus.words[i]] += corpus.counts[i];
  const order = Int32Array.from({ length: V }, (_, w) => w).sort((a, b) => totals[b] - totals[a] || a - b);
  const kept = order.slice(0, count);
  const renamed = new Int32Array(V).fill(-1);
  kept.forEach((word, rank) => {
    renamed[word] = rank;
  });
  const offsets = new Int32Array(corpus.size + 1);
  const entries: number[] = [];
  for (let d = 0; d < corpus.size; d++) {
    for (let i = corpus.offsets[d]; i < corpus.offsets[d + 1]; i++) {
      if (renamed[corpus.words[i]] >= 0) entries.push(i);
    }
    offsets[d + 1] = entries.length;
  }
  const words = Int32Array.from(entries, (i) => renamed[corpus.words[i]]);
  const counts = Float64Array.from(entries, (i) => corpus.counts[i]);
  return { corpus: { size: corpus.size, vocabulary: count, offsets, words, counts }, kept };
}
