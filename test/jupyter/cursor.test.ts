import fc from "fast-check";
import { expect, it } from "vitest";
import { toCursor, toOffset } from "../../src/jupyter/cursor.js";

it("counts code points for Jupyter and code units for the compiler", () => {
  expect(toOffset("𝒩x", 1)).toBe(2);
  expect(toCursor("𝒩x", 2)).toBe(1);
  expect(toOffset("ab", 9)).toBe(2);
});

it("goes there and back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(40), (text, cursor) => {
      const reachable = Math.min(cursor, Array.from(text).length);
      expect(toCursor(text, toOffset(text, cursor))).toBe(reachable);
    }),
  );
});
