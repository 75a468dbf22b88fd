import { firstAbove } from "../diagnostics/firstAbove.js";
import { foldIn, type Key } from "../engine/random.js";
import type { Corpus } from "./ldaC.js";
import { uniformStream } from "./uniformStream.js";

/** Options of {@link simulatedCorpus}. */
export interface SimulatedCorpusOptions {
  readonly key: Key;
  /** D. */
  readonly documents: number;
  /** V. */
  readonly vocabulary: number;
  /** K. */
  readonly topics: number;
  /** Tokens of each document. */
  readonly length: number;
  /** α of each topic in a document. Default 0.1. */
  readonly alpha?: number;
  /** η of each word in a topic. Default 0.05. */
  readonly eta?: number;
}

/**
 * Documents drawn from latent Dirichlet allocation itself: `β_k ~ Dirichlet(η)`, `θ_d ~ Dirichlet(α)`, each token's topic `z ~ θ_d` and word `w ~ β_z`.
 *
 * Drawn in JavaScript from the key, so they are the same on every backend.
 *
 * @throws RangeError if a count is not a positive integer, or α or η is not positive.
 */
export function simulatedCorpus(options: SimulatedCorpusOptions): Corpus {
  const document = simulatedDocuments(options);
  const { documents, vocabulary } = options;
  const [offsets, words, counts] = [new Int32Array(documents + 1), [] as number[], [] as number[]];
  for (let d = 0; d < documents; d++) {
    for (const [word, count] of document(d)) {
      words.push(word);
      counts.push(count);
    }
    offsets[d + 1] = words.length;
  }
  return { size: documents, vocabulary, offsets, words: Int32Array.from(words), counts: Float64Array.from(counts) };
}

/**
 * The document number d of {@link simulatedCorpus} as a function of d, in the memory of the topics: its distinct words in ascending order, and how often each occurs.
 *
 * @throws RangeError as `simulatedCorpus` does.
 * @internal
 */
export function simulatedDocuments(options: SimulatedCorpusOptions): (d: number) => [word: number, count: number][] {
  const { key, topics, length, alpha = 0.1 } = options;
  const wordsOf = cumulativeTopics(options);
  return (d) => {
    const draw = uniformStream(foldIn(key, topics + d));
    const topicsOf = cumulativeDirichlet(draw, topics, alpha);
    const times = new Map<number, number>();
    for (let i = 0; i < length; i++) {
      const word = firstAbove(wordsOf[firstAbove(topicsOf, draw())], draw());
      times.set(word, (times.get(word) ?? 0) + 1);
    }
    return Array.from(times).sort((a, b) => a[0] - b[0]);
  };
}

/**
 * β of {@link simulatedCorpus}: the topics that its documents are drawn from, `[V · K]`, words row by row.
 *
 * @throws RangeError as `simulatedCorpus` does.
 */
export function simulatedTopics(options: SimulatedCorpusOptions): Float64Array {
  const cumulative = cumulativeTopics(options);
  const K = cumulative.length;
  return Float64Array.from({ length: options.vocabulary * K }, (_, i) => {
    const [w, k] = [Math.floor(i / K), i % K];
    return cumulative[k][w] - (w === 0 ? 0 : cumulative[k][w - 1]);
  });
}

/** Σ_{v ≤ w} β_kv of each topic. */
function cumulativeTopics(options: SimulatedCorpusOptions): Float64Array[] {
  const { key, documents, vocabulary, topics, length, alpha = 0.1, eta = 0.05 } = options;
  for (const [name, count] of Object.entries({ documents, vocabulary, topics, length })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`simulatedCorpus: ${name} must be a positive integer, not ${count}.`);
  }
  for (const [name, value] of Object.entries({ alpha, eta })) {
    if (!(value > 0 && value < Infinity))
      throw new RangeError(`simulatedCorpus: ${name} must be positive and finite, not ${value}.`);
  }
  return Array.from({ length: topics }, (_, k) => cumulativeDirichlet(uniformStream(foldIn(key, k)), vocabulary, eta));
}

/** The running sums of a draw from a symmetric Dirichlet. */
function cumulativeDirichlet(draw: () => number, size: number, concentration: number): Float64Array {
  const logs = Float64Array.from({ length: size }, () => logGammaDraw(draw, concentration));
  const most = logs.reduce((a, b) => Math.max(a, b));
  let total = 0;
  const sums = logs.map((log) => {
    total += Math.exp(log - most);
    return total;
  });
  return sums.map((sum) => sum / total);
}

/** The logarithm of a Gamma(a, 1) draw, by Marsaglia & Tsang 2000 at a + 1 and a power of a uniform, so that a small a does not underflow. */
function logGammaDraw(draw: () => number, a: number): number {
  const d = a + 2 / 3;
  for (;;) {
    const x = Math.sqrt(-2 * Math.log(draw())) * Math.cos(2 * Math.PI * draw());
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v <= 0) continue;
    if (Math.log(draw()) < (x * x) / 2 + d * (1 - v + Math.log(v))) return Math.log(d * v) + Math.log(draw()) / a;
  }
}
