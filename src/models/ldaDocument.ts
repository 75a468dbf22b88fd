import type { Corpus } from "../data/ldaC.js";
import { digamma, logGamma } from "../diagnostics/specialFunctions.js";
import { documentMemory } from "./ldaPull.js";
import { expDigammas, type WordTable } from "./ldaWordTable.js";

/**
 * The update of one document as a function of its number, with its memory allocated once. It leaves γ in `proportions`, adds
 * e^{E log θ_k} n_w / Σ_j … to `gathered`, and returns the document's bound.
 */
export function documentStep(inputs: {
  readonly corpus: Corpus;
  readonly table: WordTable;
  readonly gathered: Float64Array;
  /** γ to start from, and then the result. */
  readonly proportions: Float64Array;
  /** An earlier γ, gone on from where that gives more. */
  readonly earlier: Float64Array | undefined;
  readonly K: number;
  readonly alpha: number;
  readonly tolerance: number;
  readonly maxUpdates: number;
}): (d: number) => number {
  const { corpus, table, gathered, proportions, earlier, K, alpha, tolerance, maxUpdates } = inputs;
  const { offsets, counts } = corpus;
  let longest = 0;
  for (let d = 0; d < corpus.size; d++) longest = Math.max(longest, offsets[d + 1] - offsets[d]);
  const { stride, rows, counts: own, theta, pull, pullOfWords } = documentMemory(longest, K);
  const norms = new Float64Array(longest);
  const logNormaliserOfPrior = K * logGamma(alpha) - logGamma(K * alpha);
  let offset = 0;
  const look = (d: number): void => {
    offset = expDigammas(proportions, d * K, theta, 0, K);
  };
  const settle = (d: number, n: number): void => {
    for (let update = 0; update < maxUpdates; update++) {
      pullOfWords(n);
      let change = 0;
      for (let k = 0; k < K; k++) {
        const next = alpha + theta[k] * pull[k];
        change += Math.abs(next - proportions[d * K + k]);
        proportions[d * K + k] = next;
      }
      look(d);
      if (change < tolerance * K) break;
    }
  };
  const boundOf = (d: number, first: number, n: number): number => {
    let bound = 0;
    let tokens = 0;
    for (let i = 0, at = 0; i < n; i++, at += stride) {
      let norm = 0;
      for (let k = 0; k < K; k++) norm += theta[k] * rows[at + k];
      norms[i] = norm;
      bound += own[i] * (Math.log(norm) + table.offsets[table.rowOf[first + i]]);
      tokens += own[i];
    }
    let total = 0;
    for (let k = 0; k < K; k++) total += proportions[d * K + k];
    const psiOfTotal = digamma(total);
    bound += tokens * (offset - psiOfTotal) - logGamma(total) - logNormaliserOfPrior;
    for (let k = 0; k < K; k++) {
      const gamma = proportions[d * K + k];
      bound += logGamma(gamma) - (gamma - alpha) * (digamma(gamma) - psiOfTotal);
    }
    return bound;
  };
  return (d) => {
    const first = offsets[d];
    const n = offsets[d + 1] - first;
    if (n === 0) return 0;
    // The document's own rows side by side, read some twenty times over.
    for (let i = 0; i < n; i++) {
      const at = table.rowOf[first + i] * K;
      for (let k = 0; k < K; k++) rows[i * stride + k] = table.rows[at + k];
      own[i] = counts[first + i];
    }
    // Whole groups of four words: one with count 0 pulls nothing.
    rows.fill(1, n * stride, (n + 3) * stride);
    own.fill(0, n, n + 3);
    look(d);
    settle(d, n);
    let bound = boundOf(d, first, n);
    if (earlier) {
      const anew = proportions.slice(d * K, (d + 1) * K);
      const replace = (values: Float64Array): void => {
        proportions.set(values, d * K);
        look(d);
      };
      replace(earlier.subarray(d * K, (d + 1) * K));
      if (boundOf(d, first, n) > bound) settle(d, n);
      else replace(anew);
      bound = boundOf(d, first, n);
    }
    if (!Number.isFinite(bound)) {
      throw new RangeError(
        `latentDirichletAllocation: the bound of document ${d} of the batch is ${bound}; check that every λ is positive and finite, or raise α and η.`,
      );
    }
    for (let i = 0; i < n; i++) {
      const to = table.rowOf[first + i] * K;
      const share = own[i] / norms[i];
      for (let k = 0; k < K; k++) gathered[to + k] += share * theta[k];
    }
    return bound;
  };
}

/** γ = α + N_d/K. */
export function evenProportions(corpus: Corpus, K: number, alpha: number): Float64Array {
  const out = new Float64Array(corpus.size * K);
  for (let d = 0; d < corpus.size; d++) {
    let tokens = 0;
    for (let i = corpus.offsets[d]; i < corpus.offsets[d + 1]; i++) tokens += corpus.counts[i];
    out.fill(alpha + tokens / K, d * K, (d + 1) * K);
  }
  return out;
}
