import { describe, expect, it } from "vitest";
import { frequentWords } from "../../src/data/frequentWords.js";
import { parseLdaC } from "../../src/data/ldaC.js";

const corpus = parseLdaC(new TextEncoder().encode("3 0:1 2:4 3:2\n1 1:9\n2 2:1 4:3\n"), "test.txt", { vocabulary: 6 });

describe("frequentWords", () => {
  it("keeps the most frequent words, numbered from the most frequent, in every document", () => {
    const { corpus: small, kept } = frequentWords(corpus, 3);
    expect([...kept]).toEqual([1, 2, 4]); // 9, 5 and 3 tokens
    expect([...small.offsets]).toEqual([0, 1, 2, 4]);
    expect([...small.words]).toEqual([1, 0, 1, 2]);
    expect([...small.counts]).toEqual([4, 9, 1, 3]);
    expect([small.size, small.vocabulary]).toEqual([3, 3]);
    expect([...frequentWords(corpus, 6).kept]).toEqual([1, 2, 4, 3, 0, 5]);
  });

  it("refuses a count that there is not", () => {
    for (const count of [0, 7, 1.5]) expect(() => frequentWords(corpus, count)).toThrow(`vocabulary's 6, not ${count}`);
  });
});
