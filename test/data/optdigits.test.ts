import { describe, expect, it } from "vitest";
import { optdigits } from "../../src/data/optdigits.js";
import { emptyEnvironment } from "./fixtures.js";

function classCounts(labels: Uint8Array): number[] {
  return Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length);
}

describe("optdigits", () => {
  it("comes with the project, with the class counts that UCI documents", async () => {
    const digits = await optdigits({ environment: emptyEnvironment(), download: false });
    expect(digits).toMatchObject({ name: "optdigits", licence: "CC BY 4.0" });
    expect(digits.notice).toBeUndefined();
    expect(digits.train.shape).toEqual([3823, 8, 8]);
    expect(digits.test.shape).toEqual([1797, 8, 8]);
    expect(classCounts(digits.train.labels)).toEqual([376, 389, 380, 389, 387, 376, 377, 387, 380, 382]);
    expect(classCounts(digits.test.labels)).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    const first = [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0];
    expect(Array.from(digits.test.grey([0]).subarray(0, 16))).toEqual(first.map((value) => value / 16));
  });
});
