import { describe, expect, it } from "vitest";
import { type Corpus, selectDocuments } from "../../src/data/ldaC.js";
import { simulatedCorpus } from "../../src/data/simulatedCorpus.js";
import { randomKey } from "../../src/engine/random.js";
import { cavi } from "../../src/methods/cavi.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { globalStep } from "../../src/models/conjugateModel.js";
import { corpusDataset } from "../../src/models/corpusDataset.js";
import { latentDirichletAllocation } from "../../src/models/latentDirichletAllocation.js";
import { wordTotals } from "../../src/models/wordTotals.js";
import { constant } from "../../src/optimize/schedules.js";
import { shuffledRows } from "../../src/optimize/shuffledRows.js";

const [K, V, eta] = [3, 30, 0.2];
const corpus = simulatedCorpus({ key: randomKey(1), documents: 40, vocabulary: V, topics: K, length: 25 });
const model = latentDirichletAllocation({
  topics: K,
  vocabulary: V,
  alpha: 0.3,
  eta,
  tolerance: 1e-9,
  maxUpdates: 500,
});
const key = randomKey(2);
const start = model.start(randomKey(3));
const run = (batchSize: number, steps: number) =>
  stochasticVariationalInference({
    model,
    data: corpusDataset(corpus),
    batchSize,
    rate: constant(0.3),
    steps,
    start,
    key,
    correction: wordTotals(model),
  });

function occurrences({ words, counts }: Corpus): Float64Array {
  const of = new Float64Array(V);
  for (let i = 0; i < words.length; i++) of[words[i]] += counts[i];
  return of;
}

/** Σ_k (λ_kw − η). */
const totalsOf = (topics: Float64Array): Float64Array =>
  Float64Array.from({ length: V }, (_, w) => topics.subarray(w * K, (w + 1) * K).reduce((sum, x) => sum + x - eta, 0));

describe("SVI held to the words' totals", () => {
  it("has every word's occurrences exactly after a pass", async () => {
    const { global } = await run(8, 5);
    const [held, exact] = [totalsOf(global.topics), occurrences(corpus)];
    for (let w = 0; w < V; w++) if (exact[w] > 0) expect(held[w]).toBeCloseTo(exact[w], 9);
  });

  it("has N/S times those of its documents before, and leaves words that it has not met as they were", async () => {
    const { global } = await run(2, 2);
    const rows = [0, 1].flatMap((t) => [...shuffledRows(key, corpus.size, 2)(t)]);
    const [held, met] = [totalsOf(global.topics), occurrences(selectDocuments(corpus, Int32Array.from(rows)))];
    const unmet = [...met.keys()].filter((w) => met[w] === 0);
    expect(unmet.length).toBeGreaterThan(3);
    for (let w = 0; w < V; w++) if (met[w] > 0) expect(held[w]).toBeCloseTo((corpus.size / 4) * met[w], 9);
    for (const w of unmet) expect(held[w]).toBeCloseTo(0.7 ** 2 * totalsOf(start.topics)[w], 9);
  });

  it("has N over the documents taken, times their occurrences, where S does not divide N: not exactly all", async () => {
    const odd = simulatedCorpus({ key: randomKey(1), documents: 43, vocabulary: V, topics: K, length: 25 });
    const all = occurrences(odd);
    const offOf = async (steps: number): Promise<number> => {
      const { global } = await stochasticVariationalInference({
        model,
        data: corpusDataset(odd),
        batchSize: 8,
        rate: constant(0.3),
        steps,
        start,
        key,
        correction: wordTotals(model),
      });
      const held = totalsOf(global.topics);
      const rowsAt = shuffledRows(key, 43, 8);
      const taken = new Float64Array(V);
      for (let t = 0; t < steps; t++)
        for (const [w, count] of occurrences(selectDocuments(odd, rowsAt(t))).entries()) taken[w] += count;
      let off = 0;
      for (let w = 0; w < V; w++) {
        if (taken[w] > 0) expect(held[w]).toBeCloseTo((43 / (8 * steps)) * taken[w], 9);
        off += Math.abs(held[w] - all[w]);
      }
      return off;
    };
    // Five minibatches are a pass; three documents sit out each time, others in the next.
    const [pass, middle, many] = [await offOf(5), await offOf(7), await offOf(1000)];
    expect(pass).toBeGreaterThan(1);
    expect(middle).toBeGreaterThan(1);
    expect(many).toBeLessThan(0.5 * pass);
  });

  it("changes no word's shares among the topics", () => {
    const step = wordTotals(model).begin();
    const { statistics } = model.local(start, corpus);
    const topics = step(start, statistics, 1).topics;
    for (let w = 0; w < V; w++) {
      const [before, after] = [totalsOf(start.topics)[w], totalsOf(topics)[w]];
      for (let k = 0; k < K; k++)
        expect((topics[w * K + k] - eta) / after).toBeCloseTo((start.topics[w * K + k] - eta) / before, 12);
    }
  });

  it("is CAVI with all data and ρ = 1, whose updates have the totals already", async () => {
    const { global } = await stochasticVariationalInference({
      model,
      data: corpusDataset(corpus),
      batchSize: corpus.size,
      rate: constant(1),
      steps: 6,
      start,
      key,
      correction: wordTotals(model),
    });
    const batch = await cavi({ model, data: corpus, start, tolerance: 0, maxSteps: 6, warmStart: false });
    for (let i = 0; i < V * K; i++) expect(global.topics[i]).toBeCloseTo(batch.global.topics[i], 8);
  });

  it("lowers the error of a pass whose minibatches know the right shares, against the optimum's λ", async () => {
    const { global: optimum } = await cavi({ model, data: corpus, start, tolerance: 0, maxSteps: 200 });
    const error = (corrected: boolean): number => {
      let sum = 0;
      for (let pass = 0; pass < 30; pass++) {
        const rowsAt = shuffledRows(randomKey(10 + pass), corpus.size, 4);
        const step = wordTotals(model).begin();
        let global = start;
        for (let t = 0; t < 10; t++) {
          const { statistics } = model.local(optimum, selectDocuments(corpus, rowsAt(t)));
          global = globalStep({ global, prior: model.prior, statistics, scale: 10, rate: 0.3 });
          if (corrected) global = step(global, statistics, 10);
        }
        for (let i = 0; i < V * K; i++) sum += (global.topics[i] - optimum.topics[i]) ** 2 / optimum.topics[i];
      }
      return sum;
    };
    expect(error(true)).toBeLessThan(0.7 * error(false));
  });

  it("begins anew with every run, and refuses a start below the prior", async () => {
    const correction = wordTotals(model);
    const { statistics } = model.local(start, corpus);
    const [first, second] = [correction.begin(), correction.begin()].map((step) => step(start, statistics, 2).topics);
    expect(second).toEqual(first);
    const low = { topics: start.topics.map((x, i) => (i === 5 ? 0.1 : x)) };
    expect(() => correction.begin()(low, statistics, 1)).toThrow(
      "wordTotals: λ of word 1 is below η = 0.2; start from λ ≥ η, as the model does.",
    );
  });
});
