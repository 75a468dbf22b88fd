import { describe, expect, it } from "vitest";
import { holdOutDocuments } from "../../src/data/holdOutDocuments.js";
import { parseLdaC } from "../../src/data/ldaC.js";

const corpus = parseLdaC(new TextEncoder().encode("1 0:1\n1 1:2\n2 0:3 2:1\n1 2:4\n1 1:5\n"), "five");

describe("holdOutDocuments", () => {
  it("puts every document on one side, with its words", () => {
    const { training, test } = holdOutDocuments(corpus, 2, 1);
    expect([...test.offsets, ...test.words, ...test.counts]).toEqual([0, 1, 2, 1, 2, 2, 4]);
    expect([...training.words, ...training.counts]).toEqual([0, 0, 2, 1, 1, 3, 1, 5]);
    expect([training.vocabulary, training.size, test.size]).toEqual([3, 3, 2]);
    expect([...holdOutDocuments(corpus, 3).test.counts]).toEqual([1, 4]);
  });

  it("refuses what leaves a side empty or names no document", () => {
    expect(() => holdOutDocuments(corpus, 1)).toThrow("every must be an integer from 2 to 5, the documents, not 1");
    expect(() => holdOutDocuments(corpus, 6)).toThrow("not 6");
    expect(() => holdOutDocuments(corpus, 3, 3)).toThrow("first must be an integer from 0 to 2, not 3");
  });
});
