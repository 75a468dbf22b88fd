import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { effectiveSampleSize } from "../../src/diagnostics/effectiveSampleSize.js";
import { logSumExp } from "../../src/diagnostics/logSumExp.js";
import { mean, standardError } from "../../src/diagnostics/moments.js";
import { paretoSmoothing, paretoThreshold } from "../../src/diagnostics/paretoSmoothing.js";
import { normals, uniforms } from "./uniforms.js";

interface OracleCase {
  readonly name: string;
  readonly size: number;
  readonly seed: number;
  readonly khat: number;
  readonly smoothed: readonly number[];
  readonly logSumSmoothed: number;
  readonly logSum: number;
  readonly effectiveSampleSize: number;
}

const oracle: { readonly cases: readonly OracleCase[] } = JSON.parse(
  readFileSync(new URL("./fixtures/psis.json", import.meta.url), "utf8"),
);

const weightSets: Readonly<Record<string, (n: number, seed: number) => Float64Array>> = {
  "pareto-0.3": (n, seed) => uniforms(n, seed).map((u) => -0.3 * Math.log(u)),
  "pareto-0.7": (n, seed) => uniforms(n, seed).map((u) => -0.7 * Math.log(u)),
  "pareto-1.2": (n, seed) => uniforms(n, seed).map((u) => -1.2 * Math.log(u)),
  exponential: (n, seed) => uniforms(n, seed).map((u) => Math.log(-Math.log(u))),
  bounded: (n, seed) => uniforms(n, seed).map((u) => Math.log(u)),
  "narrow-normal": (n, seed) => normals(n, seed).map((e) => 0.375 * e * e),
  "lognormal-3": (n, seed) => normals(n, seed).map((e) => 3 * e),
  shifted: (n, seed) => uniforms(n, seed).map((u) => -5000 - 0.5 * Math.log(u)),
  "some-zero": (n, seed) => uniforms(n, seed).map((u) => (u < 0.3 ? -Infinity : -0.5 * Math.log(u))),
  "mostly-zero": (n, seed) => uniforms(n, seed).map((u) => (u > 0.04 ? -Infinity : -0.5 * Math.log(u))),
  few: (n, seed) => uniforms(n, seed).map((u) => -0.5 * Math.log(u)),
};

describe("paretoSmoothing against ArviZ", () => {
  it("covers every frozen weight set", () => {
    expect(oracle.cases.map((c) => c.name).sort()).toEqual(Object.keys(weightSets).sort());
  });

  it.each(oracle.cases)("$name: k̂, smoothed weights, sums and ESS", (expected) => {
    const logWeights = weightSets[expected.name](expected.size, expected.seed);
    const result = paretoSmoothing(logWeights);
    expect(result.khat).toBeCloseTo(expected.khat, 9);
    const largest = result.logWeights.toSorted().slice(-10);
    for (const [i, value] of expected.smoothed.entries()) expect(largest[i]).toBeCloseTo(value, 8);
    expect(logSumExp(result.logWeights)).toBeCloseTo(expected.logSumSmoothed, 9);
    expect(logSumExp(logWeights)).toBeCloseTo(expected.logSum, 10);
    expect(effectiveSampleSize(logWeights) / expected.effectiveSampleSize).toBeCloseTo(1, 10);
  });
});

describe("paretoSmoothing against known tails", () => {
  // The prior draws k̂ to ½ with the weight of ten tail draws; take that out to see the estimator itself.
  it.each([-0.5, 0.2, 0.5, 0.9])("recovers k = %f from exact generalised Pareto weights", (k) => {
    const estimates = Array.from({ length: 40 }, (_, r) => {
      const logWeights = uniforms(4000, 1000 + r).map((u) => (k < 0 ? Math.log1p(-(u ** -k)) : -k * Math.log(u)));
      const { khat, tailLength } = paretoSmoothing(logWeights);
      expect(tailLength).toBe(Math.ceil(3 * Math.sqrt(4000)));
      return (khat * (tailLength + 10) - 5) / tailLength;
    });
    expect(Math.abs(mean(estimates) - k)).toBeLessThan(4 * standardError(estimates) + 2 / 190);
  });

  it("grows as a normal proposal narrows under a normal target, whose tail index is 1 − s²", () => {
    const khats = [1.5, 0.95, 0.7, 0.4].map((s) => {
      const e = normals(20_000, 77);
      return paretoSmoothing(e.map((z) => ((1 - s * s) * z * z) / 2)).khat;
    });
    expect(khats).toEqual(khats.toSorted((a, b) => a - b));
    expect(khats[0]).toBeLessThan(0);
    expect(khats[3]).toBeGreaterThan(0.6);
    expect(khats[3]).toBeLessThan(1);
  });
});

describe("paretoSmoothing's properties", () => {
  it("does not depend on the weights' scale or order, keeps ranks, and never exceeds the largest weight", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: -900, max: 900, noNaN: true }), (seed, shift) => {
        const logWeights = normals(200, seed);
        const plain = paretoSmoothing(logWeights);
        const moved = paretoSmoothing(logWeights.map((value) => value + shift).toReversed());
        expect(moved.khat).toBeCloseTo(plain.khat, 7);
        expect(Math.max(...plain.logWeights)).toBeLessThanOrEqual(Math.max(...logWeights));
        const ranks = (values: Float64Array) =>
          Array.from(values.keys()).sort((i, j) => values[i] - values[j] || i - j);
        const order = ranks(logWeights);
        for (let r = 1; r < order.length; r++) {
          expect(plain.logWeights[order[r]]).toBeGreaterThanOrEqual(plain.logWeights[order[r - 1]]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("leaves its input and the weights below the tail as they are", () => {
    const logWeights = normals(1000, 5);
    const copy = logWeights.slice();
    const { logWeights: smoothed, tailLength } = paretoSmoothing(logWeights);
    expect(logWeights).toEqual(copy);
    expect(smoothed.filter((value, i) => value !== logWeights[i]).length).toBeLessThanOrEqual(tailLength);
    expect(tailLength).toBe(95);
  });

  it("takes a Float32Array and plain numbers", () => {
    const logWeights = Float32Array.from(normals(100, 5));
    expect(paretoSmoothing(logWeights).khat).toBe(paretoSmoothing(Array.from(logWeights)).khat);
  });
});

describe("paretoSmoothing's edge cases", () => {
  it("has no k̂ for twenty draws and has one for twenty-one", () => {
    const few = paretoSmoothing(normals(20, 3));
    expect(few.khat).toBeNaN();
    expect(few.reliable).toBe(false);
    expect(few.explanation).toMatch(/undefined.*more than 20/);
    expect(Number.isFinite(paretoSmoothing(normals(21, 3)).khat)).toBe(true);
  });

  it("calls equal weights free of a tail", () => {
    const result = paretoSmoothing(new Float64Array(100).fill(-3));
    expect(result).toMatchObject({ khat: -Infinity, reliable: true, tailLength: 0 });
    expect(result.logWeights).toEqual(new Float64Array(100).fill(-3));
  });

  it("calls weights that a few draws carry hopeless", () => {
    const result = paretoSmoothing(normals(1000, 2).map((e) => 1e5 * e));
    expect(result).toMatchObject({ khat: Infinity, reliable: false, tailLength: 0 });
    const oneAlive = new Float64Array(100).fill(-Infinity);
    oneAlive[7] = 2;
    expect(paretoSmoothing(oneAlive)).toMatchObject({ khat: Infinity, reliable: false });
  });

  it("does not fit a tail of ties", () => {
    const twoValues = new Float64Array(1000);
    twoValues.fill(1, 0, 3);
    const result = paretoSmoothing(twoValues);
    expect(result.khat).toBeNaN();
    expect(result.explanation).toMatch(/ties/);
  });

  it("refuses what is not a weight", () => {
    expect(() => paretoSmoothing([])).toThrow(/at least one/);
    expect(() => paretoSmoothing([0, Number.NaN])).toThrow(/log-weight 1 is NaN/);
    expect(() => paretoSmoothing([Infinity, 0])).toThrow(/log-weight 0 is Infinity/);
    expect(() => paretoSmoothing([-Infinity, -Infinity])).toThrow(/all 2 log-weights are −∞/);
  });

  it("says what to do at each level of k̂", () => {
    // The weights are the exact quantiles of a Pareto distribution, so that k̂ is close to k.
    const at = (k: number, n: number) =>
      paretoSmoothing(Float64Array.from({ length: n }, (_, i) => -k * Math.log((i + 0.5) / n))).explanation;
    expect(at(0.2, 1000)).toMatch(/can be trusted/);
    expect(at(0.62, 100)).toMatch(/too large for 100 draws; about \d+ would do/);
    expect(at(0.85, 4000)).toMatch(/bring q closer/);
    expect(at(1.5, 4000)).toMatch(/no finite mean/);
  });
});

describe("paretoThreshold", () => {
  it.each([
    [100, 0.5],
    [320, 0.6008],
    [1000, 2 / 3],
    [2200, 0.7],
    [10_000, 0.7],
  ])("S = %i allows k̂ up to %f", (size, expected) => {
    expect(paretoThreshold(size)).toBeCloseTo(expected, 3);
  });

  it("refuses sizes that are no number of draws", () => {
    expect(() => paretoThreshold(0)).toThrow(/positive number of draws/);
    expect(() => paretoThreshold(1.5)).toThrow(RangeError);
  });
});
