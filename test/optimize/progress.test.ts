import { describe, expect, it } from "vitest";
import type { Row } from "../../src/notebook/spec.js";
import type { TableRow } from "../../src/notebook/table.js";
import { progressText, rateMeter } from "../../src/optimize/progress.js";
import { type TracePoint, tracer } from "../../src/optimize/trace.js";

describe("progress", () => {
  it("has the rate of the last ten seconds, so that a slow start is forgotten", () => {
    const rate = rateMeter();
    expect(rate(0, 0)).toBe(0);
    expect(rate(1, 5)).toBeCloseTo(0.2, 12); // five seconds of compilation
    let last = 0;
    for (let t = 1; t <= 200; t++) last = rate(1 + 10 * t, 5 + t / 10); // 100 steps a second
    expect(last).toBeCloseTo(100, 6);
  });

  it("is a line of text", () => {
    const at = {
      step: 400,
      steps: 2000,
      value: -3.21431,
      gradientNorm: 0.8123,
      seconds: 1,
      stepsPerSecond: 812.34,
      secondsLeft: 1.97,
    };
    expect(progressText(at)).toBe("step 400 of 2000, value -3.214, gradient 0.81, 812 steps/s, 2.0 s left");
    expect(progressText({ ...at, gradientNorm: null, step: 2000, secondsLeft: 0 })).toBe(
      "step 2000 of 2000, value -3.214, 812 steps/s",
    );
    expect(progressText({ ...at, stepsPerSecond: 0, secondsLeft: Number.POSITIVE_INFINITY })).toBe(
      "step 400 of 2000, value -3.214, gradient 0.81",
    );
  });
});

describe("the trace", () => {
  it("goes on from where it was left, in the middle of a point, to the same numbers", () => {
    const steps = [0.1, 0.7, -3, 12.3, 5, 1e-3, 8].map((value, i) => ({
      step: i + 1,
      value,
      gradientNorm: value ** 2,
      seconds: i,
    }));
    const whole = tracer(3);
    for (const step of steps) whole.add(step);
    for (let cut = 0; cut <= steps.length; cut++) {
      const first = tracer(3);
      for (const step of steps.slice(0, cut)) first.add(step);
      const kept = JSON.parse(JSON.stringify({ trace: first.points, partial: first.partial }));
      const second = tracer(3, kept);
      for (const step of steps.slice(cut)) second.add(step);
      expect(second.finished()).toEqual(whole.finished());
    }
    expect(whole.finished().map(({ step }) => step)).toEqual([3, 6, 7]);
    expect(whole.points).toHaveLength(2);
  });

  it("is rows of a table and of a chart", () => {
    const points: readonly TracePoint[] = [{ step: 1, value: 2, gradientNorm: null, seconds: 0 }];
    const rows: readonly TableRow[] = points;
    const data: readonly Row[] = points;
    expect(Object.keys(rows[0]!)).toEqual(["step", "value", "gradientNorm", "seconds"]);
    expect(data).toBe(points);
  });
});
