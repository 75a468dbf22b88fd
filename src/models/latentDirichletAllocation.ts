import type { Corpus } from "../data/ldaC.js";
import { digamma, logGamma } from "../diagnostics/specialFunctions.js";
import type { Key } from "../engine/random.js";
import type { ConjugateModel, NaturalParameters } from "./conjugateModel.js";
import { documentStep, evenProportions } from "./ldaDocument.js";
import { topicTotals, wordTable } from "./ldaWordTable.js";
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
  /** η. */
  readonly eta: number;
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
 * @throws RangeError if an option is out of range; from its functions, if a batch is empty or has another vocabulary, or a λ is not positive.
 * Source: Blei, Ng & Jordan 2003, "Latent Dirichlet allocation", section 5; Hoffman, Blei & Bach 2010, "Online learning for latent Dirichlet
 *   allocation", algorithm 1.
 */
export function latentDirichletAllocation(options: LdaOptions): LatentDirichletAllocation {
  const { topics: K, vocabulary: V, alpha, eta, tolerance = 1e-3, maxUpdates = 100 } = options;
  checkOptions({ topics: K, vocabulary: V, alpha, eta, tolerance, maxUpdates });
  const prior: LdaGlobal = { topics: new Float64Array(V * K).fill(eta) };
  return {
    name: "Latent Dirichlet allocation",
    settings: { topics: K, vocabulary: V, alpha, tolerance, maxUpdates },
    topics: K,
    vocabulary: V,
    alpha,
    eta,
    prior,
    kl: (global, from = prior) => dirichletKls(global.topics, from.topics, V, K),
    local: (global, corpus, from) => {
      checkCorpus(corpus, V);
      checkTopics(global.topics, K);
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

/** A negative λ of a word that the batch lacks would go unseen. */
function checkTopics(topics: Float64Array, K: number): void {
  const bad = topics.findIndex((value) => !(value > 0 && value < Infinity));
  if (bad !== -1) {
    throw new RangeError(
      `latentDirichletAllocation: every λ must be positive and finite, but that of word ${Math.floor(bad / K)} in topic ${bad % K} is ${topics[bad]}; start from start(key) or λ ≥ η.`,
    );
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
