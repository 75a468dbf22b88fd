import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { vegaLiteMimeType } from "../../src/notebook/figure.js";
import { duration, progress, progressLine, startLiveTrace } from "../../src/notebook/progress.js";

interface Message {
  readonly data: Record<string, unknown>;
  readonly update: boolean;
}
const hook = Symbol.for("marginalia.display");
let shown: Message[];
const inKernel = (): void => {
  Reflect.set(globalThis, hook, ({ data }: Message, update: boolean) => shown.push({ data, update }));
};
beforeEach(() => {
  shown = [];
  vi.stubEnv("CI", "");
});
afterEach(() => {
  Reflect.deleteProperty(globalThis, hook);
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("progress", () => {
  it("tells share, rate and time left, and the time it took at the end", () => {
    expect(progressLine("grid", { step: 10, steps: 40 }, 5)).toBe(
      "grid  ██████░░░░░░░░░░░░░░░░░░  25 %  10/40  2/s  15.0 s left",
    );
    expect(progressLine("grid", { step: 1, steps: 3 }, 90)).toMatch(
      /33 % {2}1\/3 {2}1 min 30 s each {2}3 min 00 s left$/,
    );
    expect(progressLine("grid", { step: 40, steps: 40 }, 20)).toMatch(/100 % {2}40\/40 {2}2\/s {2}20.0 s$/);
    expect(progressLine("grid", { step: 0, steps: 40 }, 0)).toMatch(/0 % {2}0\/40 {2}0\/s {2}… left$/);
    expect(duration(7620)).toBe("2 h 07 min");
    expect(duration(59.96)).toBe("1 min 00 s");
  });

  it("updates one line in place in a notebook, at most twice a second, and completes it", () => {
    inKernel();
    vi.useFakeTimers({ toFake: ["performance"] });
    const report = progress("training");
    for (let step = 1; step <= 100; step++) {
      vi.advanceTimersByTime(20);
      report({ step, steps: 100 });
    }
    report.done();
    expect(shown.map(({ update }) => update)).toEqual([false, true, true, true, true]);
    expect(shown.at(-1)!.data["text/plain"]).toContain("100/100");
  });

  it("completes the line where the work stopped early", () => {
    inKernel();
    const report = progress("training");
    report({ step: 1, steps: 100 });
    report({ step: 2, steps: 100 });
    report.done();
    expect(shown.at(-1)!.data["text/plain"]).toContain("2/100");
  });

  it("is silent in CI, and where there is neither notebook nor terminal", () => {
    const [out, error] = [vi.spyOn(process.stdout, "write"), vi.spyOn(process.stderr, "write").mockReturnValue(true)];
    vi.stubEnv("CI", "true");
    inKernel();
    progress("a")({ step: 1, steps: 1 });
    expect(shown).toEqual([]);
    vi.stubEnv("CI", "");
    Reflect.deleteProperty(globalThis, hook);
    const { isTTY } = process.stderr;
    process.stderr.isTTY = false;
    progress("a")({ step: 1, steps: 1 });
    expect(error).not.toHaveBeenCalled();
    process.stderr.isTTY = true;
    progress("a")({ step: 1, steps: 1 });
    process.stderr.isTTY = isTTY;
    expect(out).not.toHaveBeenCalled();
    expect(error.mock.calls.flat().join("")).toMatch(/^\ra .* 100 % .*\n$/);
  });
});

describe("liveTrace", () => {
  it("stays light over many steps, and ends with a picture of the last state", async () => {
    inKernel();
    vi.useFakeTimers({ toFake: ["performance"] });
    const trace = startLiveTrace("loss", {});
    const steps = 20_001;
    for (let step = 1; step <= steps; step++) {
      vi.advanceTimersByTime(1);
      trace({ step, steps, value: 1 / step, seconds: step / 1000 });
    }
    await trace.done();
    expect(shown.length).toBeGreaterThan(30);
    expect(shown.length).toBeLessThan(45);
    expect(shown.map(({ update }) => update).indexOf(true)).toBe(1);
    for (const { data } of shown) {
      expect(JSON.stringify(data[vegaLiteMimeType]).length).toBeLessThan(25_000);
    }
    const last = shown.at(-1)!.data as Record<string, { data: { values: { step: number }[] } }> & {
      "text/plain": string;
    };
    expect(last[vegaLiteMimeType]!.data.values.at(-1)!.step).toBe(steps);
    expect(last["image/png"]).toBeTypeOf("string");
    expect(last["text/plain"]).toBe("loss: 4.9998e−5 at step 20001 of 20001, 20.0 s");
  });

  it("draws where the training stopped, and leaves out values that are not finite", async () => {
    inKernel();
    const trace = startLiveTrace("loss", { valueTitle: "−ELBO, nats" });
    trace({ step: 1, steps: 100, value: 3, seconds: 0.1 });
    trace({ step: 2, steps: 100, value: Number.NaN, seconds: 0.2 });
    trace({ step: 3, steps: 100, value: 2, seconds: 0.3 });
    await trace.done();
    await trace.done();
    const last = shown.at(-1)!.data[vegaLiteMimeType] as { data: { values: unknown[] } };
    expect(last.data.values).toEqual([
      { step: 1, value: 3 },
      { step: 3, value: 2 },
    ]);
    expect(shown).toHaveLength(2);
  });

  it("shows nothing in plain Node", async () => {
    const write = vi.spyOn(process.stdout, "write");
    const trace = startLiveTrace("loss", {});
    trace({ step: 1, steps: 1, value: 3, seconds: 0.1 });
    await trace.done();
    expect(write).not.toHaveBeenCalled();
  });
});
