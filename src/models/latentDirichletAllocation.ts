import type { Corpus } from "../data/ldaC.js";
import { digamma, expDigamma, logGamma } from "../diagnostics/specialFunctions.js";
import type { Key } from "../engine/random.js";
import type { ConjugateModel, NaturalParameters } from "./conjugateModel.js";
import { uniforms } from "./randomStart.js";

/** q(β), a Dirichlet over words for each topic. */
export interface LdaGlobal extends NaturalParameters {
  /** λ, `[V · K]`: the concentrations of word 0 in every topic, then those of word 1, … */
  readonly topics: Float64Array;
}

/** q(θ) of every document of a batch. */
export interface LdaLocal {
  /** γ, `[size · K]`, row by row: the Dirichlet's concentrations. */
  readonly proportions: Float64Array;
}

/** Options of {@link latentDirichletAllocation}. */
export interface LdaOptions {
  /** K, 2 to 500. */
  readonly topics: number;
  /** V ≥ 2. */
  readonly vocabulary: number;
  /** α of each topic in a document, positive. */
  readonly alpha: number;
  /** η of each word in a topic, positive. */
  readonly eta: number;
  /** A document is done when γ changes by less, on the average over topics. Default 1e-3. */
  readonly tolerance?: number;
  /** Updates of a document at most. Default 100. */
  readonly maxUpdates?: number;
}

/** The model, and how to start and read it. */
export interface LatentDirichletAllocation extends ConjugateModel<LdaGlobal, Corpus, LdaLocal> {
  /** K. */
  readonly topics: number;
  /** V. */
  readonly vocabulary: number;
  /** α. */
  readonly alpha: number;
  /** λ = η + U with U uniform on (½, 1½): topics near the uniform one, each with a bias of its own. */
  start(key: Key): LdaGlobal;
  /** E[β], `[V · K]`, words row by row: each topic's column sums to 1. */
  wordProbabilities(global: LdaGlobal): Float64Array;
  /** The `count` most probable words of every topic. */
  topWords(global: LdaGlobal, count: number): Int32Array[];
}

/**
 * Latent Dirichlet allocation: `β_k ~ Dirichlet(η)`, `θ_d ~ Dirichlet(α)`, each token's topic `z ~ θ_d` and word `w ~ β_z`; q(β) q(θ) q(z).
 *
 * The local step iterates `φ_wk ∝ exp(E[log θ_k] + E[log β_kw])`, `γ_k = α + Σ_w n_w φ_wk`, from γ = α + N_d/K; what it adds to λ is
 * `Σ_d n_dw φ_dwk`. Given an earlier q(θ), a document goes on from that only where the start anew ends lower: always going on would hold every document to
 * the topics of its first step. φ is never stored: `γ_k − α = e^{E log θ_k} Σ_w n_w e^{E log β_kw} / Σ_j e^{E log θ_j + E log β_jw}`.
 *
 * The bound is on the log-probability of the tokens in their order, Σ_d log p(w_d); a document without words adds nothing.
 *
 * @throws RangeError if an option is out of range; from its functions, if a batch is empty or has another vocabulary.
 * Source: Blei, Ng & Jordan 2003, "Latent Dirichlet allocation", section 5; Hoffman, Blei & Bach 2010, "Online learning for latent Dirichlet
 *   allocation", algorithm 1.
 */
export function latentDirichletAllocation(options: LdaOptions): LatentDirichletAllocation {
  const { topics: K, vocabulary: V, alpha, eta, tolerance = 1e-3, maxUpdates = 100 } = options;
  checkOptions({ topics: K, vocabulary: V, alpha, eta, tolerance, maxUpdates });
  const prior: LdaGlobal = { topics: new Float64Array(V * K).fill(eta) };
  return {
    name: "Latent Dirichlet allocation",
    topics: K,
    vocabulary: V,
    alpha,
    prior,
    kl: (global, from = prior) => dirichletKls(global.topics, from.topics, V, K),
    local: (global, corpus, from) => {
      checkCorpus(corpus, V);
      if (from && from.proportions.length !== corpus.size * K) {
        throw new RangeError(
          `latentDirichletAllocation: the earlier q(θ) is of ${from.proportions.length / K} documents, not of these ${corpus.size}.`,
        );
      }
      const table = wordTable(global.topics, corpus, K);
      const gathered = new Float64Array(table.rows.length);
      const proportions = evenProportions(corpus, K, alpha);
      const earlier = from?.proportions;
      const document = documentStep({ corpus, table, gathered, proportions, earlier, K, alpha, tolerance, maxUpdates });
      let bound = 0;
      for (let d = 0; d < corpus.size; d++) bound += document(d);
      const statistics = new Float64Array(V * K);
      for (let u = 0; u < table.words.length; u++) {
        const [at, to] = [u * K, table.words[u] * K];
        for (let k = 0; k < K; k++) statistics[to + k] = gathered[at + k] * table.rows[at + k];
      }
      return { statistics: { topics: statistics }, bound, local: { proportions } };
    },
    start: (key) => ({ topics: uniforms(key, V * K).map((u) => eta + 0.5 + u) }),
    wordProbabilities: ({ topics }) => {
      const totals = topicTotals(topics, V, K);
      return topics.map((value, i) => value / totals[i % K]);
    },
    topWords: ({ topics }, count) =>
      Array.from({ length: K }, (_, k) =>
        Int32Array.from({ length: V }, (_, w) => w)
          .sort((a, b) => topics[b * K + k] - topics[a * K + k])
          .slice(0, count),
      ),
  };
}

/** exp E[log β] of the words of a batch. */
interface WordTable {
  /** The distinct words, `[U]`. */
  readonly words: Int32Array;
  /** Where each entry of the corpus has its row. */
  readonly rowOf: Int32Array;
  /** `[U · K]`, up to the factor e^{offset} of each row. */
  readonly rows: Float64Array;
  /** `[U]`. */
  readonly offsets: Float64Array;
}

function wordTable(topics: Float64Array, corpus: Corpus, K: number): WordTable {
  const V = corpus.vocabulary;
  const numberOf = new Int32Array(V).fill(-1);
  const rowOf = new Int32Array(corpus.words.length);
  const words = new Int32Array(Math.min(V, corpus.words.length));
  let used = 0;
  for (let i = 0; i < rowOf.length; i++) {
    const word = corpus.words[i];
    if (numberOf[word] === -1) {
      words[used] = word;
      numberOf[word] = used++;
    }
    rowOf[i] = numberOf[word];
  }
  const inverseTotals = topicTotals(topics, V, K).map((total) => 1 / expDigamma(total));
  const rows = new Float64Array(used * K);
  const offsets = new Float64Array(used);
  for (let u = 0; u < used; u++) {
    offsets[u] = expDigammas(topics, words[u] * K, rows, u * K, K);
    for (let k = 0; k < K; k++) rows[u * K + k] *= inverseTotals[k];
  }
  return { words: words.subarray(0, used), rowOf, rows, offsets };
}

/**
 * Writes `e^{ψ(x_k) − m}` and returns m: 0, or max_k ψ(x_k) where otherwise all of them would be near underflow (x_k < 0.005, as a sparse prior has
 * for a word that no topic has seen).
 */
function expDigammas(x: Float64Array, from: number, out: Float64Array, to: number, K: number): number {
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

/**
 * The update of one document as a function of its number, with its memory allocated once. It leaves γ in `proportions`, adds
 * e^{E log θ_k} n_w / Σ_j … to `gathered`, and returns the document's bound.
 */
function documentStep(inputs: {
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
  // Padded to whole groups of four words: a word with count 0 pulls nothing.
  const own = { rows: new Float64Array((longest + 3) * K), counts: new Float64Array(longest + 3) };
  const theta = new Float64Array(K);
  const pull = new Float64Array(K);
  const norms = new Float64Array(longest);
  const logNormaliserOfPrior = K * logGamma(alpha) - logGamma(K * alpha);
  let offset = 0;
  const look = (d: number): void => {
    offset = expDigammas(proportions, d * K, theta, 0, K);
  };
  const settle = (d: number, n: number): void => {
    for (let update = 0; update < maxUpdates; update++) {
      pullOfWords(own.rows, own.counts, n, theta, pull);
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
    const { rows } = own;
    let bound = 0;
    let tokens = 0;
    for (let i = 0, at = 0; i < n; i++, at += K) {
      let norm = 0;
      for (let k = 0; k < K; k++) norm += theta[k] * rows[at + k];
      norms[i] = norm;
      bound += own.counts[i] * (Math.log(norm) + table.offsets[table.rowOf[first + i]]);
      tokens += own.counts[i];
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
    const { rows } = own;
    // The document's own rows side by side, read some twenty times over.
    for (let i = 0; i < n; i++) {
      const at = table.rowOf[first + i] * K;
      for (let k = 0; k < K; k++) rows[i * K + k] = table.rows[at + k];
      own.counts[i] = counts[first + i];
    }
    rows.fill(1, n * K, (n + 3) * K);
    own.counts.fill(0, n, n + 3);
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
      const share = own.counts[i] / norms[i];
      for (let k = 0; k < K; k++) gathered[to + k] += share * theta[k];
    }
    return bound;
  };
}

/**
 * Writes `Σ_i c_i r_ik / Σ_j θ_j r_ij` into `pull`, over n words and up to three more of the padding.
 *
 * Four words at a time, since four sums at once hide the latency of an addition: half the time of one word after another.
 */
function pullOfWords(
  rows: Float64Array,
  counts: Float64Array,
  n: number,
  theta: Float64Array,
  pull: Float64Array,
): void {
  const K = theta.length;
  pull.fill(0);
  for (let i = 0; i < n; i += 4) {
    const a = i * K;
    const [b, c, d] = [a + K, a + 2 * K, a + 3 * K];
    let [normA, normB, normC, normD] = [0, 0, 0, 0];
    for (let k = 0; k < K; k++) {
      const t = theta[k];
      normA += t * rows[a + k];
      normB += t * rows[b + k];
      normC += t * rows[c + k];
      normD += t * rows[d + k];
    }
    const [shareA, shareB, shareC, shareD] = [
      counts[i] / normA,
      counts[i + 1] / normB,
      counts[i + 2] / normC,
      counts[i + 3] / normD,
    ];
    for (let k = 0; k < K; k++) {
      pull[k] += shareA * rows[a + k] + shareB * rows[b + k] + shareC * rows[c + k] + shareD * rows[d + k];
    }
  }
}

/** γ = α + N_d/K. */
function evenProportions(corpus: Corpus, K: number, alpha: number): Float64Array {
  const out = new Float64Array(corpus.size * K);
  for (let d = 0; d < corpus.size; d++) {
    let tokens = 0;
    for (let i = corpus.offsets[d]; i < corpus.offsets[d + 1]; i++) tokens += corpus.counts[i];
    out.fill(alpha + tokens / K, d * K, (d + 1) * K);
  }
  return out;
}

/** Σ_k KL(Dirichlet(q_k) ‖ Dirichlet(p_k)) over the columns of two `[V · K]` tables. */
function dirichletKls(q: Float64Array, p: Float64Array, V: number, K: number): number {
  const [totals, priorTotals] = [topicTotals(q, V, K), topicTotals(p, V, K)];
  const psiOfTotals = totals.map(digamma);
  let kl = 0;
  for (let k = 0; k < K; k++) kl += logGamma(totals[k]) - logGamma(priorTotals[k]);
  let [last, logGammaOfLast] = [1, 0];
  for (let w = 0; w < V; w++) {
    for (let k = 0; k < K; k++) {
      const [a, b] = [q[w * K + k], p[w * K + k]];
      if (a === b) continue;
      if (b !== last) [last, logGammaOfLast] = [b, logGamma(b)];
      kl += logGammaOfLast - logGamma(a) + (a - b) * (digamma(a) - psiOfTotals[k]);
    }
  }
  return kl;
}

function topicTotals(topics: Float64Array, V: number, K: number): Float64Array {
  const totals = new Float64Array(K);
  for (let w = 0; w < V; w++) {
    for (let k = 0; k < K; k++) totals[k] += topics[w * K + k];
  }
  return totals;
}

function checkOptions(options: Required<LdaOptions>): void {
  const { topics, vocabulary, alpha, eta, tolerance, maxUpdates } = options;
  const counts = [
    ["topics", topics, 2, 500],
    ["vocabulary", vocabulary, 2, Infinity],
    ["maxUpdates", maxUpdates, 1, Infinity],
  ] as const;
  for (const [name, value, least, most] of counts) {
    if (!Number.isInteger(value) || value < least || value > most) {
      const range = most === Infinity ? `≥ ${least}` : `from ${least} to ${most}`;
      throw new RangeError(`latentDirichletAllocation: ${name} must be an integer ${range}, not ${value}.`);
    }
  }
  for (const [name, value] of Object.entries({ alpha, eta, tolerance })) {
    if (!(value > 0 && value < Infinity))
      throw new RangeError(`latentDirichletAllocation: ${name} must be positive and finite, not ${value}.`);
  }
}

function checkCorpus(corpus: Corpus, V: number): void {
  if (corpus.size === 0)
    throw new RangeError("latentDirichletAllocation: the batch has no documents; give it at least one.");
  if (corpus.vocabulary !== V) {
    throw new RangeError(
      `latentDirichletAllocation: the batch has a vocabulary of ${corpus.vocabulary} words, the model one of ${V}.`,
    );
  }
}
