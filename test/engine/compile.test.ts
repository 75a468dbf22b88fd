import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { isNative } from "../../src/engine/native.js";
import { repeat } from "../../src/engine/repeat.js";
import { foldIn, type Key, normal, randomKey, split } from "../../src/engine/random.js";
import { type Scalar, type Tensor, type Tensor2D, tf } from "../../src/engine/tf.js";

beforeAll(async () => {
  await ready();
});

const numbers = (tensor: Tensor): number[] => Array.from(tensor.dataSync());

describe("compile", () => {
  it("returns what the step returns, for new numbers and new keys", () => {
    const step = ({ x, key }: { x: Tensor2D; key: Key }): { y: Tensor; noise: Tensor } => {
      const [first, second] = split(key);
      const noise = tf.add(normal(first, [2, 3]), normal(foldIn(second, 7), [2, 3]));
      return { y: tf.add(tf.matMul(x, x, false, true), 1), noise };
    };
    const compiled = compile(step);
    for (const seed of [1, 2, 3]) {
      const x = tf.tensor2d([seed, 2, 3, 4, 5, 6], [2, 3]);
      const key = randomKey(seed);
      const [a, b] = [step({ x, key }), compiled({ x, key })];
      expect(numbers(b.y)).toEqual(numbers(a.y));
      expect(numbers(b.noise)).toEqual(numbers(a.noise));
    }
    expect(compiled.graphs).toBe(isNative() ? 1 : 0);
    compiled.dispose();
  });
});

describe("repeat", () => {
  it("is a loop of the graph, with the draws of the loop in JavaScript", () => {
    const step = ({ x, key }: { x: Tensor; key: Key }): { x: Tensor; outer: Tensor } => {
      const [mine, its, shared] = split(key, 3) as [Key, Key, Key];
      const outer = normal(mine, [3]);
      const state = repeat({
        times: 5,
        init: { x, sum: tf.zeros([3]) },
        key: its,
        body: ({ state, key: turn }) => ({
          x: tf.add(tf.mul(state.x, 0.5), tf.add(normal(turn, [3]), tf.mul(outer, normal(shared, [3])))),
          sum: tf.add(state.sum, state.x),
        }),
      });
      return { x: state.x, outer: state.sum };
    };
    const compiled = compile(step);
    for (const seed of [1, 2]) {
      const inputs = { x: tf.tensor1d([seed, 2, 3]), key: randomKey(seed) };
      const [a, b] = [step(inputs), compiled(inputs)];
      numbers(b.x).forEach((value, i) => expect(value).toBeCloseTo(numbers(a.x)[i]!, 6));
      numbers(b.outer).forEach((value, i) => expect(value).toBeCloseTo(numbers(a.outer)[i]!, 6));
    }
  });
});
