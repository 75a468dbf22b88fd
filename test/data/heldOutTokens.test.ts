import { beforeAll, describe, expect, it } from "vitest";
import { heldOutTokens } from "../../src/data/heldOutTokens.js";
import { type Corpus, parseLdaC } from "../../src/data/ldaC.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";

const corpus = parseLdaC(new TextEncoder().encode("2 0:400 2:1\n1 1:600\n1 0:1\n"), "test.txt");
const table = ({ size, offsets, words, counts, vocabulary }: Corpus): number[][] =>
  Array.from({ length: size }, (_, d) => {
    const row = new Array<number>(vocabulary).fill(0);
    for (let i = offsets[d]; i < offsets[d + 1]; i++) row[words[i]] = counts[i];
    return row;
  });

describe("heldOutTokens", () => {
  beforeAll(async () => {
    await ready();
  });

  it("splits every token, a quarter of them away, and the same key splits alike", () => {
    const before = tf.memory().numTensors;
    const { seen, held } = heldOutTokens({ corpus, fraction: 0.25, key: randomKey(1) });
    expect(tf.memory().numTensors).toBe(before);
    const [whole, left, right] = [corpus, seen, held].map(table);
    expect(left.map((row, d) => row.map((count, v) => count + right[d][v]))).toEqual(whole);
    for (const [d, v, n] of [
      [0, 0, 400],
      [1, 1, 600],
    ])
      expect(Math.abs(right[d][v] - n / 4)).toBeLessThan(4 * Math.sqrt((n * 3) / 16));
    expect([...seen.counts, ...held.counts].every((count) => count > 0)).toBe(true);
    expect(table(heldOutTokens({ corpus, fraction: 0.25, key: randomKey(1) }).held)).toEqual(right);
    expect(table(heldOutTokens({ corpus, fraction: 0.25, key: randomKey(2) }).held)).not.toEqual(right);
  });

  it("refuses a fraction that is none, and counts that are none", () => {
    for (const fraction of [0, 1, Number.NaN])
      expect(() => heldOutTokens({ corpus, fraction, key: randomKey(1) })).toThrow(`between 0 and 1, not ${fraction}`);
    const broken = { ...corpus, counts: corpus.counts.map((count) => count / 2) };
    expect(() => heldOutTokens({ corpus: broken, fraction: 0.5, key: randomKey(1) })).toThrow("one is 0.5");
  });
});
