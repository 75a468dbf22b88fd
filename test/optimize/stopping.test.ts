import { describe, expect, it } from "vitest";
import type { Parameters } from "../../src/engine/parameters.js";
import type { Progress } from "../../src/optimize/progress.js";
import { anyOf, gradientBelow, plateau, type StopRule, timeLimit } from "../../src/optimize/stopping.js";
import { mulberry, normals } from "./support.js";

type At = Progress<Parameters>;

/** The step at which a rule stops a run with these values, one a point of the trace; nothing where it does not. */
function stopsAt(
  rule: StopRule,
  values: readonly number[],
  { every = 1, norms = values.map(() => 1) as readonly (number | null)[] } = {},
): number | undefined {
  const trace = values.map((value, i) => ({ step: (i + 1) * every, value, gradientNorm: norms[i]!, seconds: i }));
  return trace.find(({ step, ...last }, i) =>
    rule({
      ...last,
      step,
      steps: Number.NaN,
      stepsPerSecond: 1,
      secondsLeft: 1,
      trace: trace.slice(0, i + 1),
      state: {},
    }),
  )?.step;
}

describe("plateau", () => {
  it("stops when a rise has ended, and not while it lasts", () => {
    const noise = normals(mulberry(1), 2000);
    const rising = noise.map((e, i) => 0.01 * Math.min(i, 1000) + e);
    // A window gains 2 over 1,000 steps while it rises: 14 standard errors of 0.14. It is flat from the window that ends at 1,400 on.
    expect(stopsAt(plateau({ window: 200 }), rising)).toBe(1600);
    expect(stopsAt(plateau({ window: 200, patience: 1 }), rising)).toBe(1400);
    expect(
      stopsAt(
        plateau({ window: 200 }),
        noise.map((e, i) => 0.01 * i + e),
      ),
    ).toBeUndefined();
    expect(
      stopsAt(
        plateau({ window: 200, goal: "minimise" }),
        rising.map((value) => -value),
      ),
    ).toBe(1600);
    expect(
      stopsAt(
        plateau({ window: 200 }),
        rising.map((value) => -value),
      ),
    ).toBe(600);
  });

  it("misses a gain of g standard errors with probability Φ(tolerance − g)", () => {
    const trials = 500;
    const n = 50;
    const standardError = Math.sqrt(2 / n);
    const random = mulberry(7);
    for (const [gain, miss] of [
      [1, 0.8413],
      [2, 0.5],
      [4, 0.0228],
    ] as const) {
      const rule = plateau({ window: n, patience: 1, tolerance: 2 });
      let missed = 0;
      for (let trial = 0; trial < trials; trial++) {
        const noise = normals(random, 2 * n);
        const at = stopsAt(
          rule,
          noise.map((e, i) => e + (i < n ? 0 : gain * standardError)),
        );
        if (at !== undefined) missed++;
      }
      // Four standard errors of the count, and 0.01 for Student's t being wider than the normal at n = 50.
      expect(Math.abs(missed / trials - miss)).toBeLessThan(4 * Math.sqrt((miss * (1 - miss)) / trials) + 0.01);
    }
  });

  it("counts its window in steps, whatever the trace's points average over", () => {
    const flat = Array.from({ length: 100 }, () => 3);
    expect(stopsAt(plateau({ window: 100, patience: 2 }), flat, { every: 10 })).toBe(300);
    // Windows that do not end at a point are judged at the next one.
    expect(stopsAt(plateau({ window: 105, patience: 1 }), flat, { every: 10 })).toBe(210);
    expect(stopsAt(plateau({ window: 105, patience: 2 }), flat, { every: 10 })).toBe(320);
  });

  it("refuses a window with too few points to tell their noise, and options out of range", () => {
    expect(() => stopsAt(plateau({ window: 50 }), [1, 2], { every: 10 })).toThrow(
      "a window of 50 steps holds fewer than 10 points of a trace with one every 10; make it at least 100, or give traceEvery: 5 or less",
    );
    expect(() => plateau({ window: 0 })).toThrow("window must be a positive integer, not 0");
    expect(() => plateau({ window: 20, patience: 0 })).toThrow("patience must be a positive integer");
    expect(() => plateau({ window: 20, tolerance: -1 })).toThrow("tolerance must be a finite number ≥ 0, not -1");
  });
});

describe("the other rules", () => {
  it("stop at a time and below a gradient", () => {
    expect(stopsAt(timeLimit(3), [1, 1, 1, 1, 1])).toBe(4);
    expect(stopsAt(gradientBelow(0.1), [1, 1, 1], { norms: [2, 0.1, 0.09] })).toBe(3);
    expect(gradientBelow(0.1)({ trace: [] } as unknown as At)).toBe(false);
  });

  it("join into one that is asked as often as the most demanding", () => {
    expect(stopsAt(anyOf(timeLimit(3), gradientBelow(0.1)), [1, 1, 1, 1, 1])).toBe(4);
    expect(stopsAt(anyOf(timeLimit(3), gradientBelow(0.1)), [1, 1], { norms: [0.01, 1] })).toBe(1);
    expect(anyOf(timeLimit(1)).asked).toBe("call");
    expect(anyOf(timeLimit(1), gradientBelow(1)).asked).toBe("point");
    expect(anyOf(plateau({ window: 10 }), () => false).asked).toBe("step");
  });

  it("refuse limits that make no sense", () => {
    expect(() => timeLimit(0)).toThrow("must be positive, not 0");
    expect(() => gradientBelow(-1)).toThrow("must be positive, not -1");
    expect(() => anyOf()).toThrow("at least one rule");
    expect(() => stopsAt(gradientBelow(1), [1], { norms: [null] })).toThrow("does not give the norm");
  });
});
