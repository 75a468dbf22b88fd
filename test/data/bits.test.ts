import { describe, expect, it } from "vitest";
import { parseBits } from "../../src/data/bits.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("parseBits", () => {
  it.each([
    ["with a last newline", "0 1 1\n1 0 0\n"],
    ["without one", "0 1 1\n1 0 0"],
    ["with carriage returns, tabs, blank lines and blanks at both ends", " 0\t1  1 \r\n\r\n\n1 0 0\r\n\n"],
  ])("reads rows of bits %s", (_, text) => {
    const { rows, columns, values } = parseBits(bytes(text), "a", 3);
    expect([rows, columns]).toEqual([2, 3]);
    expect(Array.from(values)).toEqual([0, 1, 1, 1, 0, 0]);
  });

  it("reads the middle of a buffer, and an empty file as no rows", () => {
    expect(Array.from(parseBits(bytes("x1 0\n0 0y").subarray(1, -1), "a", 2).values)).toEqual([1, 0, 0, 0]);
    expect(parseBits(bytes("\n\n"), "a", 2).rows).toBe(0);
  });

  it.each([
    ["a line that is short", "0 1 1\n0 1\n1 1 1\n", "letters/a, line 2: 2 bits instead of 3."],
    ["a line that is long", "0 1 1 0\n", "letters/a, line 1: 4 bits instead of 3."],
    ["a cut last line", "0 1 1\n\n0 1", "letters/a, line 3: 2 bits instead of 3."],
    ["a grey value", "0 1 1\n0 2 1\n", 'letters/a, line 2: "2" is not 0 or 1.'],
    ["a number with a point", "0 1.0 1\n", 'letters/a, line 1: "." is not 0 or 1.'],
    ["a byte that is no text", "0 1 1\n0 \u0000 1\n", "letters/a, line 2: the byte 0 is not 0 or 1."],
    ["bits that touch", "0 1 1\n0 1 1\n01 1\n", "letters/a, line 3: two bits are not separated by a blank."],
  ])("refuses %s by file and line", (_, text, message) => {
    expect(() => parseBits(bytes(text), "letters/a", 3)).toThrow(new RangeError(message));
  });

  it("refuses a number of columns that is none", () => {
    for (const columns of [0, 1.5]) {
      expect(() => parseBits(bytes("0"), "a", columns)).toThrow(
        `parseBits: columns must be a positive integer, not ${columns}.`,
      );
    }
  });
});
