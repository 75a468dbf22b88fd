import { describe, expect, it } from "vitest";
import { toCsv } from "../../bench/harness/results.js";
import { quantile, relativeError, summarise } from "../../bench/harness/statistics.js";
import { ratios, type Timed } from "../../bench/harness/steps.js";

describe("summarise", () => {
  it("interpolates quartiles between neighbours", () => {
    expect(summarise([4, 1, 3, 2])).toEqual({ median: 2.5, low: 1.75, high: 3.25, min: 1, n: 4 });
    expect(quantile([7], 0.25)).toBe(7);
    expect(() => quantile([], 0.5)).toThrow("at least one number");
  });
});

describe("relativeError", () => {
  it("is the norm of the difference over that of the second", () => {
    const b = { w: Float32Array.of(3, 0), v: Float32Array.of(4) };
    expect(relativeError({ w: Float32Array.of(3, 1), v: Float32Array.of(4) }, b)).toBeCloseTo(1 / 5, 12);
    expect(() => relativeError({ w: b.w }, b)).toThrow("not about the same parameters");
  });
});

describe("ratios", () => {
  const timed = (framework: string, variant: string, median: number): Timed => {
    return { workload: "sivi", framework, variant, median, low: median, high: median, min: median / 2, n: 3 };
  };

  it("sets the fastest way of many steps a call against many, and of one step against one", () => {
    const rows = [
      timed("marginalia", "eager", 8),
      timed("marginalia", "compiled", 1),
      timed("marginalia", "xla", 1.5),
      timed("marginalia", "loop", 0.7),
      timed("marginalia", "loop-xla", 0.5),
      timed("jax", "jit", 2),
      timed("jax", "loop", 0.25),
      { workload: "sivi", framework: "torch", variant: "compile", note: "no compiler" },
    ];
    expect(ratios(rows)).toEqual([
      { workload: "sivi", framework: "jax", variant: "jit", ours: "compiled", ofMedians: 0.5, ofLeast: 0.5 },
      { workload: "sivi", framework: "jax", variant: "loop", ours: "loop-xla", ofMedians: 2, ofLeast: 2 },
    ]);
  });

  it("compares nothing with a workload that this library did not run", () => {
    expect(ratios([timed("jax", "jit", 2)])).toEqual([]);
  });
});

describe("toCsv", () => {
  it("gathers columns from all rows and quotes what needs it", () => {
    expect(toCsv([{ a: 1 / 3 }, { a: 2, note: 'said "no", twice' }])).toBe(
      'a,note\n0.333333,\n2,"said ""no"", twice"\n',
    );
  });
});
