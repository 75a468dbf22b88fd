import { type Key, uniform } from "../engine/random.js";
import { tf } from "../engine/tf.js";
import type { Corpus } from "./ldaC.js";

/** A corpus in two parts, document by document. */
export interface HeldOutTokens {
  readonly seen: Corpus;
  readonly held: Corpus;
}

/**
 * Holds tokens of every document out: each token by itself, with the given probability. What is seen and what is held add up to the corpus; a document may be empty in
 * one of them.
 *
 * @throws RangeError if the fraction is not between 0 and 1, or a count is no integer.
 */
export function heldOutTokens(options: {
  readonly corpus: Corpus;
  /** The probability that a token is held out. */
  readonly fraction: number;
  readonly key: Key;
}): HeldOutTokens {
  const { corpus, fraction, key } = options;
  if (!(fraction > 0 && fraction < 1))
    throw new RangeError(`heldOutTokens: fraction must be between 0 and 1, not ${fraction}.`);
  const broken = corpus.counts.find((count) => !Number.isInteger(count));
  if (broken !== undefined) throw new RangeError(`heldOutTokens: counts must be integers, but one is ${broken}.`);
  const tokens = corpus.counts.reduce((sum, count) => sum + count, 0);
  const draws = tf.tidy(() => uniform(key, [Math.max(1, tokens)]).dataSync());
  const held = new Float64Array(corpus.counts.length);
  let token = 0;
  corpus.counts.forEach((count, i) => {
    for (let c = 0; c < count; c++) if (draws[token++] < fraction) held[i]++;
  });
  return {
    seen: withCounts(
      corpus,
      corpus.counts.map((count, i) => count - held[i]),
    ),
    held: withCounts(corpus, held),
  };
}

/** The corpus with other counts, entries of 0 left out. */
function withCounts(corpus: Corpus, counts: Float64Array): Corpus {
  const offsets = new Int32Array(corpus.size + 1);
  const entries: number[] = [];
  for (let d = 0; d < corpus.size; d++) {
    for (let i = corpus.offsets[d]; i < corpus.offsets[d + 1]; i++) if (counts[i] > 0) entries.push(i);
    offsets[d + 1] = entries.length;
  }
  return {
    ...corpus,
    offsets,
    words: Int32Array.from(entries, (i) => corpus.words[i]),
    counts: Float64Array.from(entries, (i) => counts[i]),
  };
}
