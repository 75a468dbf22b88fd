import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { nativeBackend } from "../../src/engine/nativeBackend.js";
import { offTape } from "../../src/engine/offTape.js";
import { foldIn, type Key, normal, randomKey, split } from "../../src/engine/random.js";
import { repeat } from "../../src/engine/repeat.js";
import { type Scalar, type Tensor, type Tensor1D, tf } from "../../src/engine/tf.js";

beforeAll(async () => {
  await ready({ backend: "tensorflow" });
});

let numTensors = 0;
beforeEach(() => {
  numTensors = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(numTensors);
});

const numbers = (tensor: Tensor): number[] => Array.from(tensor.dataSync());

function expectClose(actual: Tensor, expected: Tensor): void {
  const values = numbers(actual);
  for (const [i, value] of numbers(expected).entries()) expect(values[i]).toBeCloseTo(value, 5);
}

describe("compile", () => {
  it("returns what the step returns, for new numbers and new keys", () => {
    const step = ({ x, key }: { x: Tensor; key: Key }): { y: Tensor; noise: Tensor } => {
      const [first, second] = split(key);
      const noise = tf.add(normal(first, [2, 3]), normal(foldIn(second, 7), [2, 3]));
      return { y: tf.add(tf.matMul(x, x, false, true), 1), noise };
    };
    const compiled = compile(step);
    tf.tidy(() => {
      for (const seed of [1, 2, 3]) {
        const inputs = { x: tf.tensor2d([seed, 2, 3, 4, 5, 6], [2, 3]), key: randomKey(seed) };
        const [a, b] = [step(inputs), compiled(inputs)];
        expect(numbers(b.y)).toEqual(numbers(a.y));
        expect(numbers(b.noise)).toEqual(numbers(a.noise));
      }
    });
    expect(compiled.graphs).toBe(1);
    compiled.dispose();
    expect(compiled.graphs).toBe(0);
  });

  it("leaves nothing out of a record that is a key and more", () => {
    const compiled = compile(({ noise }: { noise: Key & { scale: Tensor } }) => ({
      y: tf.mul(noise.scale, normal(noise, [2])),
    }));
    tf.tidy(() => {
      for (const seed of [1, 2]) {
        const key = randomKey(seed);
        const { y } = compiled({ noise: { ...key, scale: tf.scalar(3) } });
        expect(numbers(y)).toEqual(numbers(tf.mul(3, normal(key, [2]))));
      }
    });
    compiled.dispose();
  });

  it("keeps the structure of nested records and lists", () => {
    const compiled = compile(({ a: { list } }: { a: { list: readonly Tensor[] } }) => ({
      deep: { sum: tf.addN([...list]), each: list.map((x) => tf.neg(x)), nothing: undefined },
    }));
    tf.tidy(() => {
      const { deep } = compiled({ a: { list: [tf.scalar(1), tf.scalar(2)] } });
      expect(numbers(deep.sum)).toEqual([3]);
      expect(deep.each.map((x) => numbers(x))).toEqual([[-1], [-2]]);
      expect(deep.nothing).toBeUndefined();
    });
    compiled.dispose();
  });

  it("compiles anew for other shapes, dtypes and plain values, and not for other numbers", () => {
    let runs = 0;
    const compiled = compile(({ x, power }: { x: Tensor; power: number }) => {
      runs++;
      return { y: tf.pow(x, tf.scalar(power, x.dtype)) };
    });
    tf.tidy(() => {
      const y = (x: Tensor, power: number): number[] => numbers(compiled({ x, power }).y);
      expect(y(tf.tensor1d([1, 2]), 2)).toEqual([1, 4]);
      expect(y(tf.tensor1d([3, 4]), 2)).toEqual([9, 16]);
      expect([compiled.graphs, runs]).toEqual([1, 2]); // recorded twice, to compare
      expect(y(tf.tensor1d([3, 4]), 3)).toEqual([27, 64]);
      expect(y(tf.tensor1d([3]), 2)).toEqual([9]);
      expect(y(tf.tensor1d([3, 4], "int32"), 2)).toEqual([9, 16]);
      expect(compiled.graphs).toBe(4);
    });
    compiled.dispose();
  });

  it("tells plain values apart that JSON does not", () => {
    const compiled = compile(({ x, by }: { x: Tensor; by: number | null }) => ({ y: tf.mul(x, by ?? 7) }));
    tf.tidy(() => {
      const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0];
      expect(values.map((by) => numbers(compiled({ x: tf.scalar(2), by }).y)[0])).toEqual(values);
      expect(numbers(compiled({ x: tf.scalar(2), by: null }).y)).toEqual([14]);
    });
    compiled.dispose();
  });

  it("forgets the graph that was used longest ago when it holds 32", () => {
    const compiled = compile(({ x, by }: { x: Tensor; by: number }) => ({ y: tf.mul(x, by) }));
    tf.tidy(() => {
      for (let by = 0; by < 40; by++) expect(numbers(compiled({ x: tf.scalar(2), by }).y)).toEqual([2 * by]);
      expect(compiled.graphs).toBe(32);
      expect(numbers(compiled({ x: tf.scalar(3), by: 0 }).y)).toEqual([0]);
    });
    compiled.dispose();
  });

  it("tells inputs apart that share their numbers", () => {
    const compiled = compile(({ a, b }: { a: Tensor; b: Tensor }) => ({ y: tf.sub(a, tf.mul(b, 2)) }));
    tf.tidy(() => {
      const x = tf.scalar(1);
      expect(numbers(compiled({ a: x, b: tf.clone(x) }).y)).toEqual([-1]);
      expect(numbers(compiled({ a: tf.scalar(5), b: tf.scalar(1) }).y)).toEqual([3]);
    });
    compiled.dispose();
  });

  it("takes in what stands around it: small tensors as constants, large ones by reference, kept alive", () => {
    const [small, large] = [tf.scalar(2), tf.ones([1000])];
    const compiled = compile(({ x }: { x: Tensor }) => ({ y: tf.sum(tf.mul(tf.mul(large, x), small)) }));
    tf.tidy(() => {
      expect(numbers(compiled({ x: tf.scalar(1) }).y)).toEqual([2000]);
      tf.dispose([small, large]);
      expect(numbers(compiled({ x: tf.scalar(2) }).y)).toEqual([4000]);
    });
    numTensors = tf.memory().numTensors;
    const { numDataBuffers } = tf.memory();
    compiled.dispose();
    expect(tf.memory().numDataBuffers).toBe(numDataBuffers - 1);
  });

  it("returns inputs and constants as tensors of their own", () => {
    const compiled = compile(({ x }: { x: Tensor }) => ({ x, again: x, one: tf.ones([3]) }));
    const x = tf.tensor1d([1, 2]);
    const { x: same, again, one } = compiled({ x });
    x.dispose();
    same.dispose();
    expect(numbers(again)).toEqual([1, 2]);
    expect(numbers(one)).toEqual([1, 1, 1]);
    tf.dispose([again, one]);
    compiled.dispose();
  });

  it("runs the step itself inside another and inside a derivative", () => {
    const inner = compile(({ x }: { x: Tensor }) => ({ y: tf.square(x) }));
    const outer = compile(({ x }: { x: Tensor }) => ({ y: tf.add(inner({ x }).y, 1) }));
    tf.tidy(() => {
      expect(numbers(outer({ x: tf.scalar(3) }).y)).toEqual([10]);
      const { gradient } = valueAndGradient(({ x }) => inner({ x: x as Tensor }).y as Scalar, { x: tf.scalar(3) });
      expect(numbers(gradient.x)).toEqual([6]);
    });
    expect(inner.graphs).toBe(0);
    outer.dispose();
  });

  it.each(["wasm", "cpu"] as const)("runs on %s", async (backend) => {
    await ready({ backend });
    const compiled = compile(({ x, key }: { x: Tensor; key: Key }) => ({ y: tf.add(x, normal(key, [2])) }));
    for (const seed of [1, 2, 3]) {
      const inputs = { x: tf.tensor1d([1, 2]), key: randomKey(seed) };
      tf.tidy(() => {
        const expected = tf.add(inputs.x, normal(inputs.key, [2]));
        expect(numbers(compiled(inputs).y)).toEqual(numbers(expected));
      });
      inputs.x.dispose();
    }
    expect(compiled.graphs).toBe(1);
    compiled.dispose();
    let count = 0;
    const counting = compile(({ x }: { x: Tensor }) => ({ y: tf.mul(x, count++) }));
    expect(() => tf.tidy(() => counting({ x: tf.scalar(1) }))).toThrow(/two runs of the step on the same input differ/);
    const returning = compile(({ x }: { x: Tensor }) => ({ y: tf.mul(x, 2), count: 1 }));
    expect(() => tf.tidy(() => returning({ x: tf.scalar(1) }))).toThrow(/output\.count is a plain value/);
    await ready({ backend: "tensorflow" });
  });

  it("leaves nothing behind in a thousand calls", () => {
    const compiled = compile(({ x, key }: { x: Tensor; key: Key }) => ({ y: tf.add(x, normal(key, [400, 400])) }));
    const x = tf.zeros([400, 400]);
    const run = (i: number): void => compiled({ x, key: foldIn(randomKey(1), i) }).y.dispose();
    for (let i = 0; i < 200; i++) run(i);
    const [data, resident] = [tf.memory().numDataBuffers, process.memoryUsage().rss];
    for (let i = 0; i < 1000; i++) run(i); // 640 MB if the results stayed
    expect(tf.memory().numDataBuffers).toBe(data);
    expect(process.memoryUsage().rss - resident).toBeLessThan(100e6);
    tf.dispose(x);
    compiled.dispose();
  });

  describe("refuses", () => {
    const x = (): { x: Tensor1D } => ({ x: tf.tensor1d([1, 2]) });
    const refusal = (step: (inputs: { x: Tensor }) => object): string => {
      const compiled = compile(step as (inputs: object) => object);
      try {
        tf.tidy(() => void compiled(x()));
      } catch (error) {
        return (error as Error).message;
      } finally {
        compiled.dispose();
      }
      return "nothing";
    };

    it("a value that is read, naming the line", () => {
      const message = refusal(({ x }) => {
        const [first] = x.dataSync();
        return { y: first! > 0 ? tf.neg(x) : x };
      });
      expect(message).toMatch(/reads a tensor's value \(at .*compile\.test\.ts:\d+:\d+\)/);
      expect(refusal(({ x }) => ({ y: tf.mul(x, x.arraySync() as number[]) }))).toMatch(/reads a tensor's value/);
    });

    it("random numbers of JavaScript, naming the line", () => {
      expect(refusal(({ x }) => ({ y: tf.add(x, tf.randomNormal([2])) }))).toMatch(
        /draws a JavaScript random number \(at .*compile\.test\.ts:\d+:\d+\)/,
      );
      expect(refusal(({ x }) => ({ y: tf.mul(x, Math.random()) }))).toMatch(/draws a JavaScript random number/);
      expect(Math.random()).toBeLessThan(1); // and gives JavaScript its own back
    });

    it("a number that changes from run to run, naming the line", () => {
      let count = 0;
      expect(refusal(({ x }) => ({ y: tf.mul(x, count++) }))).toMatch(
        /a number changes from run to run \(at .*compile\.test\.ts:\d+:\d+\)/,
      );
    });

    it("a key that is taken apart", () => {
      const compiled = compile(({ x, key }: { x: Tensor; key: Key }) => ({
        y: tf.add(x, normal({ words: [key.words[0], 1] }, [2])),
      }));
      expect(() => tf.tidy(() => compiled({ ...x(), key: randomKey(1) }))).toThrow(/changes from run to run/);
    });

    it("a key that is derived by a counter from around the step", () => {
      let count = 0;
      const counting = compile(({ key }: { key: Key }) => ({ y: normal(foldIn(key, count++), [2]) }));
      expect(() => tf.tidy(() => counting({ key: randomKey(1) }))).toThrow(/the keys that the step derives change/);
      const taking = compile(({ key }: { key: Key }) => ({ y: normal(split(key)[count++ % 2] as Key, [2]) }));
      expect(() => tf.tidy(() => taking({ key: randomKey(1) }))).toThrow(/the keys that the step derives change/);
      const looping = compile(({ key }: { key: Key }) =>
        repeat({
          times: 2,
          init: { x: tf.zeros([2]) },
          key,
          body: ({ key: turn }) => ({ x: normal(foldIn(turn, count++), [2]) }),
        }),
      );
      expect(() => tf.tidy(() => looping({ key: randomKey(1) }))).toThrow(/the keys that the step derives change/);
    });

    it("a tensor of a loop's body that is used outside of the loop", () => {
      const message = refusal(({ x }) => {
        let last = x;
        const { sum } = repeat({
          times: 2,
          init: { sum: x },
          key: randomKey(1),
          body: ({ state }) => {
            last = tf.keep(tf.neg(state.sum));
            return { sum: tf.add(state.sum, 1) };
          },
        });
        try {
          return { y: tf.add(sum, last) };
        } finally {
          last.dispose();
        }
      });
      expect(message).toMatch(
        /uses a tensor of a loop's body outside of the loop.* \(at .*compile\.test\.ts:\d+:\d+\)/,
      );
    });

    it("tensors that have been disposed, and tensors of strings", () => {
      const compiled = compile(({ x }: { x: Tensor }) => ({ x }));
      const { x: gone } = x();
      compiled({ x: gone }).x.dispose();
      gone.dispose();
      expect(() => compiled({ x: gone })).toThrow("compile: the step's input.x is a tensor that has been disposed.");
      compiled.dispose();
      expect(refusal(() => ({ y: tf.tensor1d(["a"]) }))).toMatch(/output\.y is a tensor of string/);
    });

    it("a step that does another thing every time", () => {
      let count = 0;
      expect(refusal(({ x }) => ({ y: count++ % 2 ? tf.neg(x) : tf.exp(x) }))).toMatch(
        /two runs of the step on the same input differ in their operations/,
      );
    });

    it("a variable", () => {
      const variable = tf.tidy(() => tf.variable(tf.scalar(1)));
      expect(refusal(({ x }) => ({ y: tf.mul(x, variable) }))).toMatch(/uses a tf.Variable/);
      variable.dispose();
    });

    it("results that are no tensors", () => {
      expect(refusal(({ x }) => ({ x, n: 3 }))).toMatch(/output\.n is a plain value, which would be frozen/);
      expect(refusal(() => ({}))).toMatch(/must return at least one tensor/);
      expect(refusal(({ x }) => ({ x, f: () => x }))).toMatch(/output\.f is of the kind function/);
    });

    it("inputs that are neither tensors, keys nor plain values", () => {
      const compiled = compile(({ x }: { x: Tensor; rows: Int32Array }) => ({ x }));
      expect(() => tf.tidy(() => compiled({ ...x(), rows: new Int32Array(2) }))).toThrow(
        /input\.rows is of the kind Int32Array; use tensors, keys and plain values/,
      );
    });

    it("a graph that cannot be handed over, in the words of what fails", () => {
      const { TMPDIR } = process.env;
      process.env.TMPDIR = "/nowhere";
      try {
        expect(refusal(({ x }) => ({ x }))).toMatch(/cannot be handed to libtensorflow: ENOENT/);
      } finally {
        if (TMPDIR === undefined) delete process.env.TMPDIR;
        else process.env.TMPDIR = TMPDIR;
      }
    });

    it("an operation that no graph can hold", () => {
      expect(refusal(() => ({ y: tf.maxPool(tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]), 2, 1, "same") }))).toMatch(
        /TensorFlow's MaxPool, which a compiled step cannot hold; run it before or after the step/,
      );
    });

    it("nothing that goes wrong in the step itself: the error is the step's", () => {
      expect(refusal(({ x }) => ({ y: tf.matMul(x as never, x as never) }))).toMatch(/ndims must be >= 2/);
      expect(Object.hasOwn(nativeBackend(), "executeSingleOutput")).toBe(false);
    });
  });
});

describe("repeat", () => {
  const step = ({ x, key }: { x: Tensor; key: Key }): { x: Tensor; sum: Tensor } => {
    const [mine, its, shared] = split(key, 3) as [Key, Key, Key];
    const outer = normal(mine, [3]);
    return repeat({
      times: 5,
      init: { x, sum: tf.zeros([3]) },
      key: its,
      body: ({ state, key: turn }) => ({
        x: tf.add(tf.mul(state.x, 0.5), tf.add(normal(turn, [3]), tf.mul(outer, normal(shared, [3])))),
        sum: tf.add(state.sum, state.x),
      }),
    });
  };

  it.each([false, true])("is a loop of the graph, with the draws of the loop in JavaScript (XLA: %s)", (xla) => {
    const compiled = compile(step, { xla });
    tf.tidy(() => {
      for (const seed of [1, 2]) {
        const inputs = { x: tf.tensor1d([seed, 2, 3]), key: randomKey(seed) };
        const [a, b] = [step(inputs), compiled(inputs)];
        for (const name of ["x", "sum"] as const) {
          expectClose(b[name], a[name]);
        }
      }
    });
    compiled.dispose();
  });

  it("nests, with the draws of the inner loop", () => {
    const nested = ({ key }: { key: Key }): { x: Tensor } =>
      repeat({
        times: 3,
        init: { x: tf.zeros([2]) },
        key,
        body: ({ state, key: turn }) =>
          repeat({
            times: 2,
            init: state,
            key: turn,
            body: ({ state: inner, key: each }) => ({
              x: tf.add(inner.x, tf.add(normal(each, [2]), normal(key, [2]))),
            }),
          }),
      });
    const compiled = compile(nested);
    tf.tidy(() => {
      for (const seed of [1, 2]) {
        const key = randomKey(seed);
        const [a, b] = [nested({ key }), compiled({ key })];
        expectClose(b.x, a.x);
      }
    });
    compiled.dispose();
  });

  it("takes derivatives inside a custom gradient, where the tape around it rests", () => {
    const slope = (): Tensor =>
      offTape(() => {
        const { y } = repeat({
          times: 2,
          init: { y: tf.tensor1d([1, 2]) as Tensor },
          key: randomKey(1),
          body: ({ state }) => ({ y: valueAndGradient(({ y }) => tf.sum(tf.square(y as Tensor)), state).gradient.y }),
        });
        return y;
      });
    const compiled = compile(() => ({ slope: slope() }));
    tf.tidy(() => {
      expect(numbers(slope())).toEqual([4, 8]);
      expect(numbers(compiled({}).slope)).toEqual([4, 8]);
    });
    compiled.dispose();
  });

  it("is a constant to a derivative, and derivatives are taken inside it", () => {
    const f = ({ x }: { x: Tensor }): { value: Tensor; gradient: Tensor } => {
      const { value, gradient } = valueAndGradient(
        (at) => {
          const { y } = repeat({
            times: 2,
            init: { y: at.x as Tensor },
            key: randomKey(1),
            body: ({ state }) => ({ y: valueAndGradient(({ y }) => tf.sum(tf.square(y as Tensor)), state).gradient.y }),
          });
          return tf.sum(tf.mul(at.x as Tensor, y)) as Scalar;
        },
        { x },
      );
      return { value, gradient: gradient.x };
    };
    const compiled = compile(f);
    tf.tidy(() => {
      for (const run of [f, compiled]) {
        const { value, gradient } = run({ x: tf.tensor1d([1, 2]) }); // y = 4x
        expect(numbers(value)).toEqual([20]);
        expect(numbers(gradient)).toEqual([4, 8]);
      }
    });
    compiled.dispose();
  });

  it("takes no turn, and refuses a fraction of one and a body that changes a shape", () => {
    const init = { x: tf.scalar(1) };
    const none = repeat({ times: 0, init, key: randomKey(1), body: ({ state }) => state });
    expect(numbers(none.x)).toEqual([1]);
    expect(() => repeat({ times: 1.5, init, key: randomKey(1), body: ({ state }) => state })).toThrow(
      "repeat: times must be a non-negative integer, not 1.5.",
    );
    const growing = compile(({ x }: { x: Tensor }) =>
      repeat({ times: 2, init: { x }, key: randomKey(1), body: ({ state }) => ({ x: tf.stack([state.x, state.x]) }) }),
    );
    expect(() => tf.tidy(() => growing(init))).toThrow(/must keep shapes and dtypes, but it makes float32 \[2\]/);
    tf.dispose([none.x, init.x]);
  });
});
