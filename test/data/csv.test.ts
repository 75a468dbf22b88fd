import { describe, expect, it } from "vitest";
import { parseCsv } from "../../src/data/csv.js";

describe("parseCsv", () => {
  it("reads numbers with and without a header, past comments and blank lines", () => {
    expect(parseCsv("y,x0\r\n1,-2.5e-1\r\n\r\n0,3\r\n", "a", { header: true })).toEqual({
      header: ["y", "x0"],
      rows: 2,
      columns: 2,
      values: Float64Array.of(1, -0.25, 0, 3),
    });
    expect(parseCsv("# a comment\n1,2,3", "a")).toEqual({ rows: 1, columns: 3, values: Float64Array.of(1, 2, 3) });
    expect(parseCsv("", "a")).toEqual({ rows: 0, columns: 0, values: new Float64Array(0) });
  });

  it("names file and line of what it cannot read", () => {
    expect(() => parseCsv("#\n1,2\n3\n", "a.csv")).toThrow("a.csv, line 3: 1 cells instead of 2.");
    expect(() => parseCsv("1,two", "a.csv")).toThrow('a.csv, line 1: "two" is not a number.');
    expect(() => parseCsv("1,", "a.csv")).toThrow(/line 1: "" is not a number/);
    expect(() => parseCsv("1,NaN", "a.csv")).toThrow(/not a number/);
  });
});
