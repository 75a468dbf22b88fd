import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BackendName, ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { compileLoop, type LoopStep } from "../../src/engine/compileLoop.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { foldIn, type Key, normal, randomKey, split } from "../../src/engine/random.js";
import { repeat } from "../../src/engine/repeat.js";
import { type Scalar, type Tensor, type Tensor1D, tf } from "../../src/engine/tf.js";

type State = { x: Tensor1D; count: Scalar };
type Each = { rate: Scalar; row: Tensor1D };
type Keys = { noise: Key; other: Key };
type Output = { sum: Scalar; x: Tensor1D };

const around = tf.tensor1d([1, 2]);

/** A step with a carry, a row and a rate of its own, two keys, an inner loop and something from around it. */
const step: LoopStep<State, Each, Keys, Output> = ({ state, each, keys }) => {
  const [first, second] = split(keys.noise);
  const inner = repeat({
    times: 2,
    init: { y: state.x },
    key: second,
    body: ({ state: { y }, key }) => ({ y: tf.add(tf.mul(y, 0.9), normal(key, [2])) as Tensor1D }),
  });
  const noise = tf.add(normal(first, [2]), normal(keys.other, [2]));
  const x = tf.add(inner.y, tf.mul(each.rate, tf.add(tf.add(noise, each.row), around))) as Tensor1D;
  return { state: { x, count: tf.add(state.count, 1) as Scalar }, output: { sum: tf.sum(x) as Scalar, x } };
};

const keys: Keys = { noise: randomKey(1), other: randomKey(2) };

const inputs = (first: number, count: number): { each: Each; keys: Keys; first: number; count: number } => ({
  keys,
  first,
  count,
  each: {
    rate: tf.tensor1d(Array.from({ length: count }, (_, i) => 0.1 * (first + i))) as unknown as Scalar,
    row: tf.tensor2d(Array.from({ length: count }, (_, i) => [first + i, -1])) as unknown as Tensor1D,
  },
});

const start = (): State => ({ x: tf.tensor1d([0.5, -0.5]), count: tf.scalar(0) });
const numbers = (tensor: Tensor): number[] => Array.from(tensor.dataSync());

/** Takes 10 steps in calls of these lengths; what was collected, row by row. */
function run(call: ReturnType<typeof compileLoop<State, Each, Keys, Output>>, lengths: readonly number[]): number[][] {
  return tf.tidy(() => {
    let state = start();
    let first = 0;
    const rows: number[][] = [];
    for (const count of lengths) {
      const { state: next, output } = call({ state, ...inputs(first, count) });
      state = next;
      first += count;
      const sums = numbers(output.sum);
      (output.x as unknown as Tensor).arraySync();
      for (const [i, x] of (output.x.arraySync() as unknown as number[][]).entries()) rows.push([sums[i]!, ...x]);
    }
    expect(numbers(state.count)).toEqual([first]);
    expect(numbers(state.x)).toEqual(rows.at(-1)!.slice(1));
    return rows;
  });
}

/** The same steps one by one. */
function eagerRows(): number[][] {
  return tf.tidy(() => {
    let state = start();
    return Array.from({ length: 10 }, (_, t) => {
      const { rate, row } = inputs(t, 1).each;
      const each = { rate: tf.squeeze(rate) as Scalar, row: tf.squeeze(row, [0]) as Tensor1D };
      const result = step({ state, each, keys: { noise: foldIn(keys.noise, t), other: foldIn(keys.other, t) } });
      state = result.state;
      return [...numbers(result.output.sum), ...numbers(result.output.x)];
    });
  });
}

describe.each(["tensorflow", "wasm", "cpu"] satisfies BackendName[])("compileLoop on %s", (backend) => {
  let numTensors = 0;
  beforeAll(async () => {
    await ready({ backend });
  });
  beforeEach(() => {
    numTensors = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it.each(backend === "tensorflow" ? [false, true] : [false])("takes the steps one by one (XLA: %s)", (xla) => {
    const loop = compileLoop(step, { most: 10, xla });
    const expected = eagerRows();
    for (const [t, row] of run(loop, [10]).entries()) {
      for (const [i, value] of row.entries()) expect(value).toBeCloseTo(expected[t]![i]!, 4);
    }
    loop.dispose();
  });

  it("gives the same bits however the steps are cut into calls", () => {
    const loop = compileLoop(step, { most: 8 });
    const rows = run(loop, [8, 2]);
    expect(run(loop, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1])).toEqual(rows);
    expect(run(loop, [3, 7])).toEqual(rows);
    loop.dispose();
  });

  it("is differentiated step by step, compiled around or not", () => {
    const loop = compileLoop<{ x: Scalar }, { by: Scalar }, Record<string, never>, { x: Scalar }>(
      ({ state, each }) => ({ state: { x: tf.mul(state.x, each.by) }, output: { x: state.x } }),
      { most: 4 },
    );
    const slope = ({ x }: { x: Scalar }): { x: Scalar } => {
      const each = { by: tf.tensor1d([1, 2, 3]) as unknown as Scalar };
      const last = (at: { x: Scalar }): Scalar => loop({ state: at, each, keys: {}, first: 0, count: 3 }).state.x;
      return valueAndGradient(last, { x }).gradient;
    };
    const compiled = compile(slope);
    tf.tidy(() => {
      for (const run of [slope, compiled]) expect(numbers(run({ x: tf.scalar(2) }).x)).toEqual([6]);
    });
    compiled.dispose();
    loop.dispose();
  });

  it("takes keys of the step around it beside keys of the program", () => {
    const own = randomKey(9);
    const loop = compileLoop<{ x: Scalar }, Record<string, never>, Keys, { x: Scalar }>(
      ({ state, keys: { noise, other } }) => {
        const x = tf.add(state.x, tf.add(normal(noise, []), normal(other, []))) as Scalar;
        return { state: { x }, output: { x } };
      },
      { most: 4 },
    );
    const step = ({ key }: { key: Key }): { x: Scalar } =>
      loop({ state: { x: tf.scalar(0) }, each: {}, keys: { noise: key, other: own }, first: 0, count: 3 }).state;
    const compiled = compile(step);
    tf.tidy(() => {
      for (const key of [randomKey(1), randomKey(2)]) {
        expect(numbers(compiled({ key }).x)[0]).toBeCloseTo(numbers(step({ key }).x)[0]!, 5);
      }
    });
    compiled.dispose();
    loop.dispose();
  });

  it("refuses rows for fewer steps or more", () => {
    const loop = compileLoop(step, { most: 8 });
    const { each, ...given } = inputs(0, 2);
    const state = start();
    expect(() => loop({ state, each, ...given, count: 3 })).toThrow(
      "compileLoop: each.rate needs a row a step, 3, but has the shape [2].",
    );
    tf.dispose([state, each]);
    loop.dispose();
  });

  it.each([0, 9, 1.5])("refuses %s steps in a call of at most 8", (count) => {
    const loop = compileLoop(step, { most: 8 });
    const given = inputs(0, 2);
    const state = start();
    expect(() => loop({ state, ...given, count })).toThrow(
      `compileLoop: count must be an integer from 1 to 8, not ${count}.`,
    );
    tf.dispose([state, given.each]);
    loop.dispose();
  });
});

describe("a loop of steps on large tensors", () => {
  it("calls them one by one, to the same numbers", async () => {
    await ready({ backend: "tensorflow" });
    let recordings = 0;
    const large: LoopStep<{ x: Tensor1D }, { by: Scalar }, { key: Key }, { sum: Scalar }> = ({ state, each, keys }) => {
      recordings++;
      const x = tf.add(tf.mul(state.x, each.by), normal(keys.key, [70_000])) as Tensor1D;
      return { state: { x }, output: { sum: tf.mean(x) as Scalar } };
    };
    const loop = compileLoop(large, { most: 4 });
    const given = (count: number) => ({
      each: { by: tf.fill([count], 0.5) as unknown as Scalar },
      keys: { key: randomKey(1) },
      count,
    });
    tf.tidy(() => {
      const x = tf.zeros([70_000]) as Tensor1D;
      const whole = loop({ state: { x }, first: 0, ...given(4) });
      expect(recordings).toBe(3); // once to see its size, and twice to compile it
      const half = loop({ state: { x }, first: 0, ...given(2) });
      const rest = loop({ state: half.state, first: 2, ...given(2) });
      expect([...numbers(half.output.sum), ...numbers(rest.output.sum)]).toEqual(numbers(whole.output.sum));
      expect(numbers(rest.state.x)).toEqual(numbers(whole.state.x));
      expect(recordings).toBe(3);
    });
    loop.dispose();
  });
});
