import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import type { Parameters } from "../../src/engine/parameters.js";
import { type Tensor1D, tf } from "../../src/engine/tf.js";
import { type Averaging, exponentialAveraging, polyakAveraging } from "../../src/optimize/averaging.js";
import { backends, expectClose, read } from "../engine/support.js";

/** The average after the given values of one parameter. */
function averageOf(averaging: Averaging, values: Iterable<number>): number {
  const like = { x: tf.scalar(0) };
  let state = averaging.init(like);
  for (const value of values) {
    const parameters = { x: tf.scalar(value) };
    const next = averaging.update({ state, parameters });
    tf.dispose([state as never, parameters as never]);
    state = next;
  }
  const { x } = averaging.average(state, like);
  tf.dispose(state as never);
  like.x.dispose();
  return read(x)[0]!;
}

describe.each(backends)("averaging on %s", (backend) => {
  beforeAll(async () => void (await ready({ backend })));
  afterAll(async () => void (await ready({ backend: "tensorflow" })));

  it("is the plain mean of what comes after the burn-in, and the iterate itself until then", () => {
    const values = [7, -3, 4, 10, 1];
    expect(averageOf(polyakAveraging(), values)).toBeCloseTo(19 / 5, 6);
    expect(averageOf(polyakAveraging({ from: 2 }), values)).toBeCloseTo(15 / 3, 6);
    expect(averageOf(polyakAveraging({ from: 2 }), values.slice(0, 2))).toBeCloseTo(-3, 6);
  });

  it("weighs by powers of the decay, without a pull to the start", () => {
    const values = [7, -3, 4];
    const weights = [0.64, 0.8, 1];
    const expected = (0.64 * 7 - 0.8 * 3 + 4) / weights.reduce((a, b) => a + b);
    expect(averageOf(exponentialAveraging({ decay: 0.8 }), values)).toBeCloseTo(expected, 6);
    expect(averageOf(exponentialAveraging({ decay: 0.999 }), [5])).toBeCloseTo(5, 5);
  });

  it("averages every tensor of a nested record, and leaves its arguments alone", () => {
    const averaging = polyakAveraging();
    const record = (k: number): Parameters => ({ a: tf.fill([2, 1], k), net: [{ b: tf.tensor1d([k, 2 * k]) }] });
    const [first, second] = [record(1), record(3)];
    const before = tf.memory().numTensors;
    const start = averaging.init(first);
    const once = averaging.update({ state: start, parameters: first });
    const twice = averaging.update({ state: once, parameters: second });
    const mean = averaging.average(twice, first) as { a: Tensor1D; net: [{ b: Tensor1D }] };
    expect(tf.memory().numTensors - before).toBe(3 * 3 + 2);
    expect(mean.a.shape).toEqual([2, 1]);
    expectClose(read(mean.a), [2, 2], 1e-6);
    expectClose(read(mean.net[0].b), [2, 4], 1e-6);
    expect(read(first.a as Tensor1D)).toEqual([1, 1]);
  });
});

describe("averaging", () => {
  beforeAll(async () => void (await ready({ backend: "cpu" })));
  afterAll(async () => void (await ready({ backend: "tensorflow" })));

  it("does not lose digits over many steps", () => {
    // Values whose mean is 5.0005: the plain recursion is off by 1.5e-5 after these steps, thirty units in the last place.
    const n = 20_000;
    const values = Array.from({ length: n }, (_, i) => Math.fround(5 + 0.001 * (i % 2) + 0.01 * Math.sin(i)));
    const exact = values.reduce((sum, value) => sum + value, 0) / n;
    expect(Math.abs(averageOf(polyakAveraging(), values) - exact)).toBeLessThan(5e-7);
  });

  it("refuses settings that make no sense", () => {
    expect(() => polyakAveraging({ from: -1 })).toThrow("from must be a non-negative integer, not -1");
    expect(() => polyakAveraging({ from: 1.5 })).toThrow("not 1.5");
    expect(() => exponentialAveraging({ decay: 1 })).toThrow("decay must be in (0, 1), not 1");
    expect(() => exponentialAveraging({ decay: Number.NaN })).toThrow("not NaN");
  });
});
