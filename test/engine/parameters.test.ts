import { beforeAll, expect, expectTypeOf, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import {
  cloneParameters,
  countParameters,
  disposeParameters,
  leaves,
  mapParameters,
  type Parameters,
} from "../../src/engine/parameters.js";
import { type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { read } from "./support.js";

beforeAll(async () => {
  await ready();
});

type Network = { layers: { weights: Tensor2D; bias: Tensor1D }[]; logScale: Tensor1D };

const network = (): Network => ({
  layers: [
    { weights: tf.ones([2, 3]), bias: tf.zeros([3]) },
    { weights: tf.ones([3, 1]), bias: tf.zeros([1]) },
  ],
  logScale: tf.tensor1d([5]),
});

test("leaves come with their paths, depth first", () => {
  expect(leaves(network()).map(({ path }) => path)).toEqual([
    "layers.0.weights",
    "layers.0.bias",
    "layers.1.weights",
    "layers.1.bias",
    "logScale",
  ]);
  expect(countParameters(network())).toBe(6 + 3 + 3 + 1 + 1);
  expect(leaves({})).toEqual([]);
});

test("mapping keeps the structure, the type, and lists as lists", () => {
  const doubled = mapParameters(network(), (tensor) => tf.mul(tensor, 2));
  expectTypeOf(doubled).toEqualTypeOf<Network>();
  expectTypeOf(valueAndGradient<Network>)
    .returns.toHaveProperty("gradient")
    .toEqualTypeOf<Network>();
  expect(Array.isArray(doubled.layers)).toBe(true);
  expect(read(doubled.layers[0]!.weights)).toEqual([2, 2, 2, 2, 2, 2]);
  expect(read(doubled.logScale)).toEqual([10]);
});

test("what is no tensor is named by its path, and does not type-check", () => {
  // @ts-expect-error a number is no parameter
  const wrong: Parameters = { encoder: { scale: 3 } };
  expect(() => leaves(wrong)).toThrow('Parameter "encoder.scale" is not a tensor but a number.');
  expect(() => leaves({ a: [null] } as unknown as Parameters)).toThrow('Parameter "a.0" is not a tensor but null.');
});

test("a clone lives on when its original is disposed, and disposing leaves nothing", () => {
  const before = tf.memory().numTensors;
  const original = network();
  const copy = cloneParameters(original);
  disposeParameters(original);
  expect(Array.from(copy.logScale.dataSync())).toEqual([5]);
  disposeParameters(copy);
  expect(tf.memory().numTensors).toBe(before);
});
