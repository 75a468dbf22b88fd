import { describe, expect, test } from "vitest";
import { ChainDraws, summariseChains } from "../../src/samplers/chainDraws.js";

// Two chains of four draws of two coordinates, [4, 2, 2].
const values = Float32Array.of(0, 10, 1, 11, 2, 12, 3, 13, 1, 9, 0, 8, 3, 7, 2, 6);
const draws = new ChainDraws(values, [4, 2, 2]);

describe("ChainDraws", () => {
  test("takes the series of a coordinate out of the draws", () => {
    expect(draws.chains(0).map((chain) => Array.from(chain))).toEqual([
      [0, 2, 1, 3],
      [1, 3, 0, 2],
    ]);
    expect(Array.from(draws.chains(1)[1]!)).toEqual([11, 13, 8, 6]);
    expect(() => draws.chains(2)).toThrow("coordinate must be an integer in [0, 2), not 2");
  });

  test("summarises a coordinate once, as any quantity along the chains", () => {
    const summary = draws.summary(0);
    expect(draws.summary(0)).toBe(summary);
    expect(summary).toEqual(summariseChains(draws.chains(0)));
    expect(summary.mean.value).toBe(1.5);
    expect(summary.standardDeviation.value).toBeCloseTo(Math.sqrt(10 / 7), 12);
    expect(draws.worst().rHat).toBe(Math.max(summary.rHat, draws.summary(1).rHat));
    expect(draws.correlation(0, 0).value).toBeCloseTo(1, 12);
  });
});
