import { describe, expect, it } from "vitest";
import { corpusRows, parseLdaC, selectDocuments } from "../../src/data/ldaC.js";
import { checkSparseRows, selectSparseRows, sparseRowsOf } from "../../src/data/sparseRows.js";
import { sparseDataset } from "../../src/models/sparseDataset.js";

const entries = [
  { row: 2, column: 1, value: 4 },
  { row: 0, column: 3, value: -1 },
  { row: 2, column: 0, value: 0 },
  { row: 0, column: 2, value: 2.5 },
];
const matrix = sparseRowsOf({ size: 3, columns: 4, entries });

describe("sparse rows", () => {
  it("hold entries by row, a row without any among them", () => {
    expect(matrix).toEqual({
      size: 3,
      columns: 4,
      offsets: Int32Array.of(0, 2, 2, 4),
      indices: Int32Array.of(3, 2, 1, 0),
      values: Float64Array.of(-1, 2.5, 4, 0),
    });
  });

  it("are taken in the order that is asked for", () => {
    const taken = { offsets: Int32Array.of(0, 2, 2, 4), indices: Int32Array.of(1, 0, 3, 2) };
    expect(selectSparseRows(matrix, Int32Array.of(2, 1, 0))).toMatchObject(taken);
    const { size, all, take } = sparseDataset(matrix);
    expect([size, all]).toEqual([3, matrix]);
    expect(take(Int32Array.of(0))).toEqual({ ...selectSparseRows(matrix, Int32Array.of(0)), columns: 4 });
  });

  it("are what a corpus is, without a copy", () => {
    const corpus = parseLdaC(new TextEncoder().encode("2 0:3 1:1\n1 2:6"), "a");
    const rows = corpusRows(corpus);
    expect(rows).toMatchObject({ size: 2, columns: 3 });
    expect(rows.indices).toBe(corpus.words);
    expect(rows.values).toBe(corpus.counts);
    expect(corpusRows(selectDocuments(corpus, Int32Array.of(1)))).toEqual(selectSparseRows(rows, Int32Array.of(1)));
  });

  it("are refused where they are malformed", () => {
    const one = (entry: { row: number; column: number; value: number }) => () =>
      sparseRowsOf({ size: 2, columns: 2, entries: [{ row: 0, column: 0, value: 1 }, entry] });
    expect(one({ row: 2, column: 0, value: 1 })).toThrow("entry 1 is at row 2, column 0, outside the 2 rows and 2");
    expect(one({ row: 0, column: -1, value: 1 })).toThrow("column -1, outside");
    expect(one({ row: 0.5, column: 1, value: 1 })).toThrow("row 0.5");
    expect(one({ row: 1, column: 1, value: Number.NaN })).toThrow("entry 1, at row 1, column 1, is NaN; leave it out.");
    expect(one({ row: 0, column: 0, value: 2 })).toThrow("row 0 has column 0 twice; add the entries up, or keep one.");
    expect(() => sparseRowsOf({ size: 0, columns: 2, entries: [] })).toThrow("size must be a positive integer, not 0.");
    const check = (change: object) => () => checkSparseRows("here", { ...matrix, ...change });
    expect(check({})).not.toThrow();
    expect(check({ offsets: Int32Array.of(0, 2, 3) })).toThrow(
      "here: the offsets of 3 rows must be 4 numbers from 0 to the 4",
    );
    expect(check({ offsets: Int32Array.of(0, 3, 2, 4) })).toThrow("the offset of row 2 is below that of row 1");
    expect(check({ indices: Int32Array.of(1, 2) })).toThrow("4 values have as many columns, not 2.");
    expect(check({ columns: 3 })).toThrow("row 0 has an entry in column 3, outside the 3 columns.");
    expect(check({ values: Float64Array.of(1, Infinity, 1, 1) })).toThrow("row 0, column 2 is Infinity");
    expect(() => sparseDataset({ ...matrix, size: 0 })).toThrow("the matrix has no rows");
    expect(() => sparseDataset({ ...matrix, columns: 3 })).toThrow("sparseDataset: row 0 has an entry in column 3");
  });
});
