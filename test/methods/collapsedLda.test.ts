import { afterEach, describe, expect, it } from "vitest";
import type { Corpus } from "../../src/data/ldaC.js";
import { parseLdaC } from "../../src/data/ldaC.js";
import { digamma } from "../../src/diagnostics/specialFunctions.js";
import { randomKey } from "../../src/engine/random.js";
import { cavi } from "../../src/methods/cavi.js";
import { collapsedLda } from "../../src/methods/collapsedLda.js";
import { type ExactLda, exactLda } from "../../src/models/exactLda.js";
import {
  type LatentDirichletAllocation,
  latentDirichletAllocation,
} from "../../src/models/latentDirichletAllocation.js";

const interrupt = Symbol.for("marginalia.interrupt");
afterEach(() => {
  delete (globalThis as Record<symbol, unknown>)[interrupt];
});

const K = 2;
const read = (text: string): Corpus => parseLdaC(new TextEncoder().encode(text), "tiny");
const corpora = [
  read("2 0:2 1:1\n2 2:1 3:2\n3 0:1 1:2 2:1"),
  read("1 0:3\n2 1:2 2:1\n2 0:1 2:2"),
  read("3 0:1 1:1 2:1\n2 0:2 3:1\n2 1:1 3:3"),
];
const settings = { topics: K, alpha: 0.6, eta: 0.7 };
const modelOf = ({ vocabulary }: Corpus): LatentDirichletAllocation =>
  latentDirichletAllocation({ ...settings, vocabulary, tolerance: 1e-12, maxUpdates: 2000 });
const enumerated = (corpus: Corpus): ExactLda => exactLda({ model: modelOf(corpus), corpus });

/** φ of entries as φ of tokens. */
const spread = (responsibilities: Float64Array, entries: Int32Array): Float64Array =>
  Float64Array.from(
    { length: entries.length * K },
    (_, at) => responsibilities[entries[Math.floor(at / K)] * K + (at % K)],
  );

/** φ of each entry at VB's optimum. */
async function vb(corpus: Corpus, seed: number): Promise<{ bound: number; responsibilities: Float64Array }> {
  const model = modelOf(corpus);
  const { global, local, bound } = await cavi({
    model,
    data: corpus,
    start: model.start(randomKey(seed)),
    tolerance: 1e-13,
  });
  const totals = [0, 1].map((k) => global.topics.reduce((s, v, at) => s + (at % K === k ? v : 0), 0));
  const responsibilities = new Float64Array(corpus.words.length * K);
  for (let d = 0; d < corpus.size; d++) {
    for (let e = corpus.offsets[d]; e < corpus.offsets[d + 1]; e++) {
      const logs = [0, 1].map(
        (k) =>
          digamma(local!.proportions[d * K + k]) + digamma(global.topics[corpus.words[e] * K + k]) - digamma(totals[k]),
      );
      const total = logs.reduce((s, log) => s + Math.exp(log), 0);
      for (let k = 0; k < K; k++) responsibilities[e * K + k] = Math.exp(logs[k]) / total;
    }
  }
  return { bound, responsibilities };
}

describe("exactLda", () => {
  it("orders log p ≥ the exact collapsed optimum ≥ the optimum of VB", async () => {
    for (const corpus of corpora) {
      const exact = enumerated(corpus);
      for (const seed of [2, 5]) {
        const plain = await vb(corpus, seed);
        const shares = spread(plain.responsibilities, exact.entries);
        const collapsed = exact.climb(shares);
        for (let t = 1; t < collapsed.trace.length; t++)
          expect(collapsed.trace[t]).toBeGreaterThanOrEqual(collapsed.trace[t - 1] - 1e-12);
        const optimum = collapsed.trace[collapsed.trace.length - 1];
        expect(exact.bound(shares)).toBeGreaterThan(plain.bound + 0.1);
        expect(optimum).toBeGreaterThan(exact.bound(shares) - 1e-12);
        expect(exact.logEvidence).toBeGreaterThan(optimum + 1e-3);
      }
    }
  });

  it("is the evidence of one document of one word, and of two, by hand", () => {
    expect(enumerated(read("1 2:1")).logEvidence).toBeCloseTo(-Math.log(3), 12);
    // Two tokens of one word: together in a topic or not.
    const { alpha, eta } = settings;
    const same = (alpha + 1) / (2 * alpha + 1);
    const evidence = (same * ((eta + 1) / (3 * eta + 1)) + (1 - same) / 3) / 3;
    expect(enumerated(read("1 2:2")).logEvidence).toBeCloseTo(Math.log(evidence), 12);
  });

  it("has a bound that is log p where q(z) is the posterior of one token", () => {
    const exact = enumerated(read("1 2:1"));
    expect(exact.bound(Float64Array.of(0.5, 0.5))).toBeCloseTo(exact.logEvidence, 12);
    expect(exact.bound(Float64Array.of(1, 0))).toBeCloseTo(exact.logEvidence - Math.LN2, 12);
  });

  it("refuses what is too large or out of range", () => {
    expect(() => enumerated(read("1 1:30"))).toThrow("it enumerates from 1 to 262144");
    expect(() => exactLda({ model: modelOf(corpora[1]), corpus: corpora[0] })).toThrow(
      "exactLda: the corpus has a vocabulary of 4 words, the model one of 3.",
    );
    expect(() => enumerated(corpora[0]).bound(Float64Array.of(1))).toThrow("2 shares for each of");
  });
});

describe("collapsedLda", () => {
  it("ends, by either order, where the collapsed bound is above VB's, and CVB nearest to its optimum", async () => {
    for (const corpus of corpora) {
      const exact = enumerated(corpus);
      const plain = await vb(corpus, 2);
      const best = exact.climb(spread(plain.responsibilities, exact.entries));
      const optimum = best.trace[best.trace.length - 1];
      for (const order of ["second", "zeroth"] as const) {
        const run = await collapsedLda({
          model: modelOf(corpus),
          corpus,
          order,
          key: randomKey(2),
          start: plain.responsibilities,
          tolerance: 1e-12,
          maxSweeps: 5000,
        });
        expect(run.converged).toBe(true);
        const own = exact.bound(spread(run.responsibilities, exact.entries));
        expect(own).toBeGreaterThan(plain.bound);
        expect(exact.logEvidence).toBeGreaterThan(own);
        if (order === "second") expect(optimum - own).toBeLessThan(0.3 * (optimum - plain.bound));
      }
    }
  });

  it("is by CVB0 no ascent: the exact collapsed bound of its φ falls from the third sweep on, while φ converges", async () => {
    const corpus = read("1 3:3\n3 0:1 2:1 3:1\n3 0:1 1:1 3:1");
    const exact = enumerated(corpus);
    const bounds: number[] = [];
    const run = await collapsedLda({
      model: modelOf(corpus),
      corpus,
      order: "zeroth",
      key: randomKey(3),
      tolerance: 1e-10,
      maxSweeps: 3000,
      onProgress: (_, state) => void bounds.push(exact.bound(spread(state().responsibilities, exact.entries))),
    });
    expect(run.converged).toBe(true);
    const falls = bounds.slice(1).map((bound, i) => bounds[i] - bound);
    expect(falls[0]).toBeLessThan(0);
    for (const fall of falls.slice(1, 100)) expect(fall).toBeGreaterThan(1e-7);
    expect(Math.max(...falls)).toBeGreaterThan(1e-3);
    expect(bounds[1] - bounds[bounds.length - 1]).toBeGreaterThan(0.02);
  });

  it("updates a token by the logarithms of its counts: of the means (CVB0), and to second order (CVB)", async () => {
    const corpus = corpora[0];
    const { alpha, eta } = settings;
    const E = corpus.words.length;
    const start = Float64Array.from({ length: E * K }, (_, at) =>
      at % K === 0 ? 0.2 + 0.09 * (at / K) : 0.8 - 0.09 * ((at - 1) / K),
    );
    const tokens = enumerated(corpus).entries;
    const documentOf = (e: number): number => corpus.offsets.findLastIndex((offset) => offset <= e);
    // The first entry's first token, everything else at the start.
    const others = [...tokens].slice(1);
    for (const order of ["second", "zeroth"] as const) {
      const expected = [0, 1].map((k) => {
        const counted = (of: (e: number) => boolean): { mean: number; variance: number } =>
          others.filter(of).reduce(
            ({ mean, variance }, e) => ({
              mean: mean + start[e * K + k],
              variance: variance + start[e * K + k] * (1 - start[e * K + k]),
            }),
            { mean: 0, variance: 0 },
          );
        const log = (prior: number, { mean, variance }: { mean: number; variance: number }): number =>
          Math.log(prior + mean) - (order === "second" ? variance / (2 * (prior + mean) ** 2) : 0);
        return Math.exp(
          log(
            alpha,
            counted((e) => documentOf(e) === 0),
          ) +
            log(
              eta,
              counted((e) => corpus.words[e] === corpus.words[0]),
            ) -
            log(
              corpus.vocabulary * eta,
              counted(() => true),
            ),
        );
      });
      // The first entry is the first to be updated, and is not visited again in the sweep.
      const run = await collapsedLda({
        model: modelOf(corpus),
        corpus,
        order,
        key: randomKey(1),
        start,
        maxSweeps: 1,
        tolerance: 0,
      });
      const first = run.responsibilities.slice(0, K);
      expect(first[0]).toBeCloseTo(expected[0] / (expected[0] + expected[1]), 12);
    }
  });

  it("keeps the counts that its φ say, converges, and gives the same numbers for the same key", async () => {
    const corpus = corpora[2];
    const seen: number[] = [];
    const options = { model: modelOf(corpus), corpus, order: "second", key: randomKey(4), maxSweeps: 30 } as const;
    const states: Float64Array[][] = [];
    const run = await collapsedLda({
      ...options,
      onProgress: ({ sweep }, state) => {
        const { responsibilities, topics } = state();
        seen.push(sweep);
        states.push([responsibilities, topics]);
      },
    });
    expect(states[states.length - 1]).toEqual([run.responsibilities, run.topics]);
    expect(states[0][0]).not.toEqual(run.responsibilities);
    expect(seen).toEqual(run.trace.map(({ sweep }) => sweep));
    const total = corpus.counts.reduce((a, b) => a + b, 0);
    expect(run.topics.reduce((a, b) => a + b, 0)).toBeCloseTo(total + K * corpus.vocabulary * settings.eta, 10);
    expect(run.proportions.reduce((a, b) => a + b, 0)).toBeCloseTo(total + K * corpus.size * settings.alpha, 10);
    expect((await collapsedLda(options)).responsibilities).toEqual(run.responsibilities);
    expect((await collapsedLda({ ...options, key: randomKey(5) })).responsibilities).not.toEqual(run.responsibilities);
  });

  it("refuses bad options in a sentence, and stops when the cell is interrupted", async () => {
    const options = { model: modelOf(corpora[0]), corpus: corpora[0], order: "zeroth", key: randomKey(4) } as const;
    await expect(collapsedLda({ ...options, model: modelOf(corpora[1]) })).rejects.toThrow(
      "collapsedLda: the corpus has a vocabulary of 4 words, the model one of 3.",
    );
    await expect(collapsedLda({ ...options, maxSweeps: 0 })).rejects.toThrow("maxSweeps must be a positive integer");
    await expect(collapsedLda({ ...options, tolerance: -1 })).rejects.toThrow("tolerance must be ≥ 0");
    await expect(collapsedLda({ ...options, start: Float64Array.of(1) })).rejects.toThrow(
      "2 shares for each of 7 entries",
    );
    await expect(collapsedLda({ ...options, start: new Float64Array(14) })).rejects.toThrow("shares of entry 0");
    (globalThis as Record<symbol, unknown>)[interrupt] = AbortSignal.abort();
    await expect(collapsedLda(options)).rejects.toThrow("interrupted");
  });
});
