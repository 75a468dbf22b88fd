import type { Corpus } from "../data/ldaC.js";
import { digamma, expDigamma } from "../diagnostics/specialFunctions.js";

/** exp E[log β] of the words of a batch, or of the items. */
export interface WordTable {
  /** The distinct words, `[U]`. */
  readonly words: Int32Array;
  /** Where each entry of the corpus has its row. */
  readonly rowOf: Int32Array;
  /** `[U · K]`, up to the factor e^{offset} of each row. */
  readonly rows: Float64Array;
  /** `[U]`. */
  readonly offsets: Float64Array;
}

/** The table of a batch, at the topics λ `[V · K]`. */
export function wordTable(topics: Float64Array, corpus: Corpus, K: number): WordTable {
  const V = corpus.vocabulary;
  return expDigammaTable({
    shapes: topics,
    indices: corpus.words,
    columns: V,
    factors: topicTotals(topics, V, K).map((total) => 1 / expDigamma(total)),
  });
}

/** `f_k e^{ψ(x_wk)}` of the distinct words w among the indices, for x `[V · K]` and f `[K]`. */
export function expDigammaTable(inputs: {
  readonly shapes: Float64Array;
  readonly indices: Int32Array;
  /** V. */
  readonly columns: number;
  readonly factors: Float64Array;
}): WordTable {
  const { shapes, indices, columns: V, factors } = inputs;
  const K = factors.length;
  const numberOf = new Int32Array(V).fill(-1);
  const rowOf = new Int32Array(indices.length);
  const words = new Int32Array(Math.min(V, indices.length));
  let used = 0;
  for (let i = 0; i < rowOf.length; i++) {
    const word = indices[i];
    if (numberOf[word] === -1) {
      words[used] = word;
      numberOf[word] = used++;
    }
    rowOf[i] = numberOf[word];
  }
  const rows = new Float64Array(used * K);
  const offsets = new Float64Array(used);
  for (let u = 0; u < used; u++) {
    offsets[u] = expDigammas(shapes, words[u] * K, rows, u * K, K);
    for (let k = 0; k < K; k++) rows[u * K + k] *= factors[k];
  }
  return { words: words.subarray(0, used), rowOf, rows, offsets };
}

/**
 * Writes `e^{ψ(x_k) − m}` and returns m: 0, or max_k ψ(x_k) where otherwise all of them would be near underflow (x_k < 0.005, as a sparse prior has
 * for a word that no topic has seen).
 */
export function expDigammas(x: Float64Array, from: number, out: Float64Array, to: number, K: number): number {
  let largest = 0;
  for (let k = 0; k < K; k++) {
    const value = x[from + k];
    if (value > largest) largest = value;
    out[to + k] = expDigamma(value);
  }
  if (largest > 0.005) return 0;
  const offset = digamma(largest);
  for (let k = 0; k < K; k++) out[to + k] = Math.exp(digamma(x[from + k]) - offset);
  return offset;
}

/** Σ_w λ_kw, `[K]`, of a `[V · K]` table. */
export function topicTotals(topics: Float64Array, V: number, K: number): Float64Array {
  const totals = new Float64Array(K);
  for (let w = 0; w < V; w++) {
    for (let k = 0; k < K; k++) totals[k] += topics[w * K + k];
  }
  return totals;
}
