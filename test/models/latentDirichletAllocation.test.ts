import { describe, expect, it } from "vitest";
import type { Corpus } from "../../src/data/ldaC.js";
import { logSumExp } from "../../src/diagnostics/logSumExp.js";
import { digamma, logGamma } from "../../src/diagnostics/specialFunctions.js";
import { randomKey } from "../../src/engine/random.js";
import { dirichletFamily } from "../../src/families/dirichletFamily.js";
import { klDivergence } from "../../src/families/exponentialFamily.js";
import { cavi } from "../../src/methods/cavi.js";
import { corpusDataset } from "../../src/models/corpusDataset.js";
import { documentCompletion } from "../../src/models/documentCompletion.js";
import { latentDirichletAllocation } from "../../src/models/latentDirichletAllocation.js";
import { uniforms } from "../../src/models/randomStart.js";

/** A corpus from each document's words, with repetitions. */
function corpusOf(vocabulary: number, documents: readonly (readonly number[])[]): Corpus {
  const rows = documents.map((tokens) => [...new Set(tokens)].map((w) => [w, tokens.filter((t) => t === w).length]));
  const offsets = new Int32Array(rows.length + 1);
  rows.forEach((row, d) => {
    offsets[d + 1] = offsets[d] + row.length;
  });
  const entries = rows.flat();
  return {
    size: rows.length,
    vocabulary,
    offsets,
    words: Int32Array.from(entries, ([w]) => w),
    counts: Float64Array.from(entries, ([, n]) => n),
  };
}

const settings = { topics: 2, vocabulary: 4, alpha: 0.6, eta: 0.7, tolerance: 1e-10, maxUpdates: 500 };
const documents = [
  [0, 0, 1],
  [2, 3, 2],
  [0, 1, 2, 3, 1],
];
const tiny = corpusOf(4, documents);

/** log p(w) by every assignment of topics to tokens; θ and β are integrated out in closed form. */
function exactEvidence(): number {
  const { alpha, eta } = settings;
  const tokens = documents.flatMap((words, d) => words.map((word) => ({ d, word })));
  const logBeta = (counts: readonly number[], prior: number): number =>
    counts.reduce((total, n) => total + logGamma(n + prior) - logGamma(prior), 0) +
    logGamma(counts.length * prior) -
    logGamma(counts.reduce((a, b) => a + b, 0) + counts.length * prior);
  const logs = Array.from({ length: 2 ** tokens.length }, (_, assignment) => {
    const inDocument = documents.map(() => [0, 0]);
    const inTopic = [new Array(4).fill(0), new Array(4).fill(0)];
    tokens.forEach(({ d, word }, i) => {
      const k = (assignment >> i) & 1;
      inDocument[d][k]++;
      inTopic[k][word]++;
    });
    return [...inDocument.map((n) => logBeta(n, alpha)), ...inTopic.map((n) => logBeta(n, eta))].reduce(
      (a, b) => a + b,
    );
  });
  return logSumExp(logs);
}

describe("latentDirichletAllocation", () => {
  const model = latentDirichletAllocation(settings);

  it("has an ELBO below log p(words) by enumeration at every step of CAVI", async () => {
    const evidence = exactEvidence();
    for (const seed of [1, 2, 3, 4]) {
      const { trace, bound } = await cavi({ model, data: tiny, start: model.start(randomKey(seed)), tolerance: 1e-12 });
      for (const point of trace) expect(point.bound).toBeLessThan(evidence);
      expect(bound).toBeGreaterThan(evidence - 4);
    }
  });

  it("has the bound that φ and γ written out give", () => {
    const global = model.start(randomKey(7));
    const { bound, statistics, local } = model.local(global, tiny);
    const [K, V] = [2, 4];
    const psi = (values: number[]): number[] => {
      const total = digamma(values.reduce((a, b) => a + b));
      return values.map((value) => digamma(value) - total);
    };
    const logBeta = [0, 1].map((k) => psi(Array.from({ length: V }, (_, w) => global.topics[w * K + k])));
    const expected = new Float64Array(V * K);
    let byHand = 0;
    const simplex = dirichletFamily(2);
    for (let d = 0; d < tiny.size; d++) {
      const gamma = [0, 1].map((k) => local!.proportions[d * K + k]);
      const logTheta = psi(gamma);
      const implied = [settings.alpha, settings.alpha];
      for (const word of documents[d]) {
        const scores = [0, 1].map((k) => logTheta[k] + logBeta[k][word]);
        const phi = scores.map((score) => Math.exp(score - logSumExp(scores)));
        for (const k of [0, 1]) {
          byHand += phi[k] * (scores[k] - Math.log(phi[k]));
          expected[word * K + k] += phi[k];
          implied[k] += phi[k];
        }
      }
      byHand -= klDivergence(simplex, Float64Array.from(gamma), Float64Array.of(settings.alpha, settings.alpha));
      // The iteration has converged: γ = α + Σ φ.
      for (const k of [0, 1]) expect(implied[k]).toBeCloseTo(gamma[k], 8);
    }
    expect(bound).toBeCloseTo(byHand, 10);
    statistics.topics.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 10);
    });
  });

  it("has the KL of its topics", () => {
    const global = model.start(randomKey(3));
    const simplex = dirichletFamily(4);
    const column = (values: Float64Array, k: number) => values.filter((_, i) => i % 2 === k);
    const byFamily = [0, 1]
      .map((k) => klDivergence(simplex, column(global.topics, k), column(model.prior.topics, k)))
      .reduce((a, b) => a + b);
    expect(model.kl(global)).toBeCloseTo(byFamily, 11);
    expect(model.kl(model.prior)).toBe(0);
  });

  it("has the same numbers in words and groups of any number: documents do not see the padding", () => {
    const global = model.start(randomKey(3));
    const whole = model.local(global, tiny).bound;
    const parts = documents.map((words) => model.local(global, corpusOf(4, [words])).bound);
    expect(parts.reduce((a, b) => a + b)).toBeCloseTo(whole, 9);
    expect(model.local(global, corpusOf(4, [[], [0, 1], []])).bound).toBeCloseTo(
      model.local(global, corpusOf(4, [[0, 1]])).bound,
      12,
    );
  });

  it("keeps a word that no topic has seen under a sparse prior, where exp ψ(η) underflows", async () => {
    const sparse = latentDirichletAllocation({ ...settings, alpha: 1e-3, eta: 1e-3 });
    const result = await cavi({ model: sparse, data: tiny, start: sparse.start(randomKey(1)), maxSteps: 50 });
    expect(Number.isFinite(result.bound)).toBe(true);
    const unseen = sparse.local(sparse.prior, tiny);
    expect(Number.isFinite(unseen.bound)).toBe(true);
    // Two equal topics share every token.
    expect(unseen.statistics.topics[0]).toBeCloseTo(1.5, 12);
    expect(unseen.statistics.topics.reduce((a, b) => a + b)).toBeCloseTo(11, 12);
  });

  it("finds topics that share no words, and foretells the rest of a document by them", async () => {
    const draws = uniforms(randomKey(8), 60 * 24);
    const blocks = Array.from({ length: 60 }, (_, d) =>
      Array.from({ length: 24 }, (_, i) => 10 * (d % 2) + Math.floor(10 * draws[24 * d + i])),
    );
    const corpus = corpusOf(20, blocks);
    const lda = latentDirichletAllocation({ topics: 2, vocabulary: 20, alpha: 0.1, eta: 0.1 });
    const { global } = await cavi({ model: lda, data: corpus, start: lda.start(randomKey(1)), maxSteps: 40 });
    const top = lda.topWords(global, 10).map((words) => [...words].sort((a, b) => a - b));
    expect(top.sort((a, b) => a[0] - b[0])).toEqual([
      Array.from({ length: 10 }, (_, w) => w),
      Array.from({ length: 10 }, (_, w) => w + 10),
    ]);
    const probabilities = lda.wordProbabilities(global);
    for (const k of [0, 1]) {
      expect(probabilities.filter((_, i) => i % 2 === k).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    }
    // Ten equally likely words of the right block: log 1/10. One topic for all would give log 1/20.
    const { perToken, tokens } = documentCompletion(lda, global, corpus);
    expect(perToken).toBeGreaterThan(-2.4);
    expect(perToken).toBeLessThan(-2.2);
    expect(tokens).toBeGreaterThan(500);
    expect(documentCompletion(lda, lda.prior, corpus).perToken).toBeCloseTo(-Math.log(20), 12);
  });

  it("refuses what does not fit", () => {
    const global = model.start(randomKey(1));
    const empty = corpusOf(4, []);
    expect(() => model.local(global, empty)).toThrow("the batch has no documents; give it at least one.");
    expect(() => corpusDataset(empty)).toThrow("the corpus has no documents");
    expect(() => model.local(global, corpusOf(5, [[4]]))).toThrow(
      "the batch has a vocabulary of 5 words, the model one of 4.",
    );
    expect(() => model.local(global, tiny, { proportions: new Float64Array(4) })).toThrow(
      "the earlier q(θ) is of 2 documents, not of these 3.",
    );
    expect(() => model.local({ topics: global.topics.map((value, i) => (i === 5 ? -0.3 : value)) }, tiny)).toThrow(
      "every λ must be positive and finite, but that of word 2 in topic 1 is -0.3; start from start(key) or λ ≥ η.",
    );
    expect(() => model.local({ topics: global.topics.map(() => Number.NaN) }, tiny)).toThrow(
      "every λ must be positive and finite, but that of word 0 in topic 0 is NaN",
    );
    expect(() => latentDirichletAllocation({ ...settings, topics: 1 })).toThrow(
      "topics must be an integer from 2 to 500, not 1.",
    );
    expect(() => latentDirichletAllocation({ ...settings, alpha: 0 })).toThrow(
      "alpha must be positive and finite, not 0.",
    );
    expect(() => latentDirichletAllocation({ ...settings, maxUpdates: 0 })).toThrow("an integer ≥ 1, not 0.");
    expect(() => documentCompletion(model, global, corpusOf(4, [[0], [1, 1]]))).toThrow(
      "a document with at least two distinct words",
    );
  });
});
