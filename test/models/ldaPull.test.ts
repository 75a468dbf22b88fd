import { describe, expect, it, vi } from "vitest";
import { randomKey, split } from "../../src/engine/random.js";
import { documentMemory, pullInJavaScript } from "../../src/models/ldaPull.js";
import { uniforms } from "../../src/models/randomStart.js";

/** Memory of a document of n words, with numbers drawn from a key, and the padding that a document has. */
function document(n: number, K: number, seed: number) {
  const [forRows, forTheta] = split(randomKey(seed));
  const memory = documentMemory(n, K);
  const [rows, theta] = [uniforms(forRows, n * K), uniforms(forTheta, K)];
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < K; k++) memory.rows[i * memory.stride + k] = rows[i * K + k];
    memory.counts[i] = 1 + (i % 3);
  }
  memory.rows.fill(1, n * memory.stride);
  memory.theta.set(theta);
  const expected = Array.from({ length: K }, (_, k) => {
    let total = 0;
    for (let i = 0; i < n; i++) {
      let norm = 0;
      for (let j = 0; j < K; j++) norm += theta[j] * rows[i * K + j];
      total += ((1 + (i % 3)) * rows[i * K + k]) / norm;
    }
    return total;
  });
  return { memory, expected };
}

const sizes = [1, 2, 3, 4, 5, 7, 8, 129].flatMap((n) => [2, 3, 25, 26].map((K) => ({ n, K })));

describe("pullOfWords", () => {
  it.each(sizes)("is the sum over $n words of $K topics, with SIMD and without", ({ n, K }) => {
    const { memory, expected } = document(n, K, n * 100 + K);
    const { rows, counts, theta, pull, pullOfWords } = memory;
    pullOfWords(n);
    const own = new Float64Array(pull.length);
    pullInJavaScript(rows, counts, n, theta, own);
    for (let k = 0; k < K; k++) {
      expect(Math.abs(pull[k] / expected[k] - 1)).toBeLessThan(1e-14 * (n + K));
      expect(Math.abs(own[k] / expected[k] - 1)).toBeLessThan(1e-14 * (n + K));
    }
  });

  it("leaves nothing of an earlier, larger document with other topics", () => {
    document(300, 30, 1).memory.pullOfWords(300);
    const { memory, expected } = document(5, 3, 2);
    memory.pullOfWords(5);
    for (let k = 0; k < 3; k++) expect(memory.pull[k]).toBeCloseTo(expected[k], 12);
  });

  it("works where the host has no WebAssembly", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    vi.resetModules();
    try {
      const fresh = await import("../../src/models/ldaPull.js");
      const memory = fresh.documentMemory(1, 2);
      memory.rows.fill(1);
      memory.rows.set([0.5, 0.25]);
      memory.counts[0] = 3;
      memory.theta.set([0.5, 0.5]);
      memory.pullOfWords(1);
      expect([...memory.pull]).toEqual([4, 2]);
    } finally {
      vi.unstubAllGlobals();
      vi.resetModules();
    }
  });
});
