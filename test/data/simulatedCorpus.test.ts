import { describe, expect, it } from "vitest";
import { simulatedCorpus } from "../../src/data/simulatedCorpus.js";
import { randomKey } from "../../src/engine/random.js";

describe("simulatedCorpus", () => {
  it("has the share of equal pairs of tokens that LDA has", () => {
    // Two tokens of a document are equal with probability P(same topic) (1+η)/(1+Vη) + P(other) /V, and P(same topic) = (1+α)/(1+Kα).
    const [K, V, alpha, eta, length] = [4, 6, 0.5, 0.3, 40];
    const same = (1 + alpha) / (1 + K * alpha);
    const expected = same * ((1 + eta) / (1 + V * eta)) + (1 - same) / V;
    const shares = Array.from({ length: 400 }, (_, seed) => {
      const { offsets, counts } = simulatedCorpus({
        key: randomKey(seed),
        documents: 5,
        vocabulary: V,
        topics: K,
        length,
        alpha,
        eta,
      });
      let pairs = 0;
      for (let i = 0; i < offsets[5]; i++) pairs += counts[i] * (counts[i] - 1);
      return pairs / (5 * length * (length - 1));
    });
    const mean = shares.reduce((a, b) => a + b) / 400;
    const error = Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / 400 / 399);
    expect(error).toBeLessThan(0.01);
    expect(Math.abs(mean - expected)).toBeLessThan(4 * error);
  });

  it("is a corpus, the same for the same key", () => {
    const options = { documents: 3, vocabulary: 50, topics: 2, length: 20 };
    const corpus = simulatedCorpus({ key: randomKey(1), ...options });
    for (let d = 0; d < 3; d++) {
      const at = Array.from(corpus.words.slice(corpus.offsets[d], corpus.offsets[d + 1]));
      expect(at).toEqual(Array.from(new Set(at)).sort((a, b) => a - b));
      expect(corpus.counts.slice(corpus.offsets[d], corpus.offsets[d + 1]).reduce((a, b) => a + b)).toBe(20);
    }
    expect(simulatedCorpus({ key: randomKey(1), ...options })).toEqual(corpus);
    expect(simulatedCorpus({ key: randomKey(2), ...options })).not.toEqual(corpus);
  });

  it("refuses counts and concentrations out of range", () => {
    const options = { key: randomKey(1), documents: 3, vocabulary: 50, topics: 2, length: 20 };
    expect(() => simulatedCorpus({ ...options, topics: 0 })).toThrow("topics must be a positive integer, not 0.");
    expect(() => simulatedCorpus({ ...options, eta: 0 })).toThrow("eta must be positive and finite, not 0.");
  });
});
