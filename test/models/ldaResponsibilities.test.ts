import { describe, expect, it } from "vitest";
import { simulatedCorpus } from "../../src/data/simulatedCorpus.js";
import { digamma } from "../../src/diagnostics/specialFunctions.js";
import { randomKey } from "../../src/engine/random.js";
import { latentDirichletAllocation } from "../../src/models/latentDirichletAllocation.js";
import { ldaResponsibilities } from "../../src/models/ldaResponsibilities.js";

const [K, V] = [3, 12];
const corpus = simulatedCorpus({ key: randomKey(1), documents: 6, vocabulary: V, topics: K, length: 20 });
const model = latentDirichletAllocation({ topics: K, vocabulary: V, alpha: 0.2, eta: 0.1 });
const start = model.start(randomKey(2));

describe("ldaResponsibilities", () => {
  const shares = ldaResponsibilities(model, start, corpus);

  it("are the shares whose counts the local step returns as statistics", () => {
    const counted = new Float64Array(V * K);
    corpus.words.forEach((w, e) => {
      for (let k = 0; k < K; k++) counted[w * K + k] += corpus.counts[e] * shares[e * K + k];
    });
    const { topics } = model.local(start, corpus).statistics;
    for (let i = 0; i < V * K; i++) expect(counted[i]).toBeCloseTo(topics[i], 10);
  });

  it("are proportional to exp(E log θ + E log β), document by document", () => {
    const { proportions } = model.local(start, corpus).local!;
    const totals = [0, 1, 2].map((k) => start.topics.reduce((sum, x, at) => sum + (at % K === k ? x : 0), 0));
    const d = 4;
    const e = corpus.offsets[d] + 1;
    const logs = totals.map(
      (total, k) => digamma(proportions[d * K + k]) + digamma(start.topics[corpus.words[e] * K + k]) - digamma(total),
    );
    const sum = logs.reduce((all, log) => all + Math.exp(log), 0);
    for (let k = 0; k < K; k++) expect(shares[e * K + k]).toBeCloseTo(Math.exp(logs[k]) / sum, 12);
  });
});
