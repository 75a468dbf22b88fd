import { describe, expect, it } from "vitest";
import { parseIdx } from "../../src/data/idx.js";

describe("parseIdx", () => {
  it("reads shape and values, also from the middle of a buffer", () => {
    const whole = Uint8Array.from([9, 9, 0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255]);
    const { shape, values } = parseIdx(whole.subarray(2), "a");
    expect(shape).toEqual([2, 3]);
    expect(Array.from(values)).toEqual([1, 2, 3, 4, 5, 255]);
  });

  it.each([
    ["no idx", [1, 2, 3, 4, 5], /a is no idx file/],
    ["too short", [0, 0], /no idx file/],
    ["floats", [0, 0, 13, 1, 0, 0, 0, 0], /type 13/],
    ["a cut header", [0, 0, 8, 2, 0, 0, 0, 2], /ends within its idx header/],
    ["missing values", [0, 0, 8, 1, 0, 0, 0, 4, 1], /says it holds 4 bytes, but 1 follow/],
  ])("refuses %s", (_, bytes, what) => {
    expect(() => parseIdx(Uint8Array.from(bytes), "a")).toThrow(what);
  });
});
