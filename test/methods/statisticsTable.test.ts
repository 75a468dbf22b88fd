import { describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { checkTableSize, fixedBatches, statisticsTable } from "../../src/methods/statisticsTable.js";

describe("statisticsTable", () => {
  it("sums what its batches have last been given, and adds it up anew without what rounding left", () => {
    const part = (x: number): { a: Float64Array; b: Float64Array } => ({
      a: Float64Array.of(x, 2 * x),
      b: Float64Array.of(-x),
    });
    const table = statisticsTable(3, part(0));
    table.replace(1, part(0.1));
    expect(table.sum()).toEqual(part(0.1));
    expect(table.parts[0]).toBeUndefined();
    table.replace(0, part(1e17));
    table.replace(0, part(0.2));
    // 0.1 was lost in 1e17.
    expect(table.sum().a[0]).toBe(0.2);
    table.renew();
    expect(table.sum()).toEqual(part(0.2 + 0.1));
    table.replace(2, part(4));
    expect(table.sum().a[0]).toBeCloseTo(4.3, 14);
  });
});

describe("checkTableSize", () => {
  it("lets a table have 2²⁷ numbers, copies counted, and no more", () => {
    const like = { a: new Float64Array(3), b: new Float64Array(5) };
    const of = (batches: number, copies: number) => () =>
      checkTableSize("test", { batches, like, copies, remedy: "take larger batches" });
    expect(of(2 ** 24, 1)).not.toThrow();
    expect(of(2 ** 23, 2)).not.toThrow();
    expect(of(2 ** 24 + 1, 1)).toThrow(
      "test: a table of the statistics of 16777217 batches would have 134217736 numbers, more than 134217728; take larger batches.",
    );
    expect(of(2 ** 23 + 1, 2)).toThrow("test: 2 tables of the statistics of 8388609 batches would have 134217744");
  });
});

describe("fixedBatches", () => {
  it("cuts the data into batches that differ in size by at most one", () => {
    const batches = fixedBatches("test", randomKey(1), 23, 5);
    expect(batches.map((rows) => rows.length).sort()).toEqual([4, 4, 5, 5, 5]);
    expect([...batches.flatMap((rows) => [...rows])].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 23 }, (_, i) => i),
    );
    for (const rows of batches) expect([...rows]).toEqual([...rows].sort((a, b) => a - b));
    expect(fixedBatches("test", randomKey(1), 4, 4)).toEqual([Int32Array.of(0, 1, 2, 3)]);
    expect(() => fixedBatches("test", randomKey(1), 4, 5)).toThrow(
      "test: batchSize must be an integer from 1 to the 4 data, not 5.",
    );
  });
});
