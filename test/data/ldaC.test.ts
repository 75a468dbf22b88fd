import { describe, expect, it } from "vitest";
import { DataError } from "../../src/data/dataError.js";
import { corpusBuilder, parseLdaC, selectDocuments } from "../../src/data/ldaC.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("parseLdaC", () => {
  it("reads documents as sparse rows, past blank lines, with either line end, and an empty document", () => {
    const corpus = parseLdaC(bytes("2 0:1 7:12\n\n0\r\n 1 3:2 \r\n3 1:1 2:1 0:4"), "a.ldac");
    expect(corpus).toEqual({
      size: 4,
      vocabulary: 8,
      offsets: Int32Array.of(0, 2, 2, 3, 6),
      words: Int32Array.of(0, 7, 3, 1, 2, 0),
      counts: Float64Array.of(1, 12, 2, 1, 1, 4),
    });
    expect(parseLdaC(bytes("1 2:1"), "a", { vocabulary: 9 }).vocabulary).toBe(9);
  });

  it("reads more entries than its first block of memory holds", () => {
    const lines = Array.from({ length: 3000 }, (_, d) => `3 ${d}:1 ${d + 1}:2 ${d + 7}:${d + 1}`);
    const corpus = parseLdaC(bytes(`${lines.join("\n")}\n`), "a");
    expect(corpus.size).toBe(3000);
    expect(corpus.words.slice(-3)).toEqual(Int32Array.of(2999, 3000, 3006));
    expect(corpus.counts.slice(-3)).toEqual(Float64Array.of(1, 2, 3000));
  });

  it.each([
    ["3 0:1 1:1", "it says it has 3 distinct words, but 2 follow"],
    ["1 0:1 1:1", "it says it has 1 distinct words, but 2 follow"],
    ["2 0:1 0:2", "word 0 stands twice"],
    ["1 0:0", "word 0 has count 0; leave it out"],
    ["1 -1:2", '"-1:2" is not id:count, two whole numbers'],
    ["1 0:1.5", '"0:1.5" is not id:count, two whole numbers'],
    ["1 0", '"0" is not id:count, two whole numbers'],
    ["1 0:1x", '"0:1x" is not id:count, two whole numbers'],
    ["1 99999999999:1", '"99999999999:1" is not id:count, two whole numbers'],
    ["two 0:1", 'it begins with "two", not with its number of words'],
    ["0:1 1:1", 'it begins with "0:1", not with its number of words'],
    ["1 5:1", "word 5 is outside the vocabulary of 5 words, 0 to 4"],
  ])("refuses the line %j and names it", (line, why) => {
    const read = () => parseLdaC(bytes(`1 4:1\n${line}\n1 0:1\n`), "news.ldac", { vocabulary: 5 });
    expect(read).toThrow(DataError);
    expect(read).toThrow(`news.ldac, line 2: ${why}.`);
  });

  it("refuses a file without documents", () => {
    expect(() => parseLdaC(bytes("\n \n"), "empty.ldac")).toThrow("empty.ldac holds no documents.");
  });
});

describe("a corpus", () => {
  it("is selected from by rows, in their order", () => {
    const corpus = parseLdaC(bytes("2 0:1 7:12\n1 3:2\n3 1:1 2:1 0:4"), "a");
    expect(selectDocuments(corpus, Int32Array.of(2, 0))).toEqual({
      size: 2,
      vocabulary: 8,
      offsets: Int32Array.of(0, 3, 5),
      words: Int32Array.of(1, 2, 0, 0, 7),
      counts: Float64Array.of(1, 1, 4, 1, 12),
    });
  });

  it("is built in pieces that share no memory", () => {
    const builder = corpusBuilder("a", 8);
    const line = bytes("1 3:2");
    builder.add(line, 0, line.length, 1);
    const first = builder.finish();
    const next = bytes("1 5:9");
    builder.add(next, 0, next.length, 2);
    expect(builder.documents).toBe(1);
    expect(builder.finish().words).toEqual(Int32Array.of(5));
    expect(first.words).toEqual(Int32Array.of(3));
    expect(builder.documents).toBe(0);
  });
});
