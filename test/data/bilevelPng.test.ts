import { describe, expect, it } from "vitest";
import { parseBilevelPng } from "../../src/data/bilevelPng.js";
import { bilevelPngOf } from "./fixtures.js";

const rows = 15;
const columns = 29;
const ink = Uint8Array.from({ length: rows * columns }, (_, i) => ((i * i * 31 + 7 * i) % 11 < 5 ? 1 : 0));

describe("parseBilevelPng", () => {
  it.each([0, 1, 2, 3, 4])("undoes the filter %i", (filter) => {
    const picture = parseBilevelPng(bilevelPngOf({ rows, columns, ink, filters: [filter] }), "a.png");
    expect(picture).toEqual({ rows, columns, ink });
  });

  it("undoes a mixture of filters", () => {
    const mixed = bilevelPngOf({ rows, columns, ink, filters: [4, 2, 0, 3, 1, 4, 4] });
    expect(parseBilevelPng(mixed, "a.png").ink).toEqual(ink);
  });

  it("says what is wrong", () => {
    const of = (changes: object): Uint8Array => bilevelPngOf({ rows, columns, ink, ...changes });
    expect(() => parseBilevelPng(new Uint8Array(50), "a.png")).toThrow("a.png is no PNG file");
    expect(() => parseBilevelPng(of({}).subarray(0, 8), "a.png")).toThrow("a.png has no PNG header");
    expect(() => parseBilevelPng(of({ kind: [8, 0, 0, 0, 0] }), "a.png")).toThrow("a.png has 8 bits a pixel");
    expect(() => parseBilevelPng(of({ kind: [1, 3, 0, 0, 0] }), "a.png")).toThrow("colour type 3");
    expect(() => parseBilevelPng(of({ kind: [1, 0, 0, 0, 1] }), "a.png")).toThrow("interlacing 1");
    expect(() => parseBilevelPng(of({ filters: [5] }), "a.png")).toThrow("uses the PNG filter 5");
    const taller = of({});
    taller[23] = rows + 1;
    expect(() => parseBilevelPng(taller, "a.png")).toThrow(
      `holds ${rows * 5} bytes of pixels instead of ${(rows + 1) * 5}`,
    );
  });
});
