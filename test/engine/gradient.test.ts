import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { disposeParameters } from "../../src/engine/parameters.js";
import { type Scalar, tf } from "../../src/engine/tf.js";
import { backends, read } from "./support.js";

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("gives the value and a gradient of the parameters' structure", () => {
    const parameters = { a: tf.tensor1d([1, 2]), nested: { b: [tf.scalar(3)] } };
    const { value, gradient } = valueAndGradient(
      ({ a, nested }) => tf.mul(tf.sum(tf.square(a)), nested.b[0]!),
      parameters,
    );
    expect(read(value)).toEqual([15]);
    expect(read(gradient.a)).toEqual([6, 12]);
    expect(read(gradient.nested.b[0]!)).toEqual([5]);
  });

  test("a parameter that is not used has the gradient 0", () => {
    const { gradient } = valueAndGradient(({ a }) => tf.sum(a), { a: tf.tensor1d([1, 2]), unused: tf.ones([2, 2]) });
    expect(read(gradient.unused)).toEqual([0, 0, 0, 0]);
    expect(read(valueAndGradient(() => tf.scalar(1), { a: tf.scalar(2) }).gradient.a)).toEqual([0]);
  });

  test("nests: the gradient of a gradient's square", () => {
    const cube = (x: tf.Tensor): Scalar => tf.sum(tf.mul(x, tf.square(x)));
    const { gradient } = valueAndGradient(
      ({ x }) => tf.sum(tf.square(valueAndGradient(({ x }) => cube(x), { x }).gradient.x)),
      {
        x: tf.tensor1d([1, 2]),
      },
    );
    expect(read(gradient.x)).toEqual([36, 288]); // (9x⁴)′ = 36x³
  });

  test("leaves nothing behind but what it returns, inside tidy and out", () => {
    const parameters = { x: tf.tensor1d([1, 2]) };
    const before = tf.memory().numTensors;
    const { value, gradient } = valueAndGradient(({ x }) => tf.sum(tf.square(tf.add(x, 1))), parameters);
    expect(tf.memory().numTensors - before).toBe(2);
    value.dispose();
    disposeParameters(gradient);
    tf.tidy(() => valueAndGradient(({ x }) => tf.sum(tf.square(x)), parameters).value).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("leaves nothing behind where the function throws, and the next call is right", () => {
    const x = tf.tensor1d([1, 2]);
    const before = tf.memory().numTensors;
    const broken = (x: tf.Tensor): Scalar => {
      tf.mul(tf.square(x), tf.exp(x));
      throw new Error("in the middle");
    };
    expect(() => valueAndGradient(({ x }) => broken(x), { x })).toThrow("in the middle");
    expect(() =>
      valueAndGradient(({ x }) => valueAndGradient(({ y }) => broken(tf.mul(x, y)), { y: x }).value, { x }),
    ).toThrow("in the middle");
    expect(tf.memory().numTensors).toBe(before);
    const caught = valueAndGradient(
      ({ x }) => {
        const square = tf.square(x);
        expect(() => valueAndGradient(({ x }) => broken(x), { x })).toThrow();
        return tf.sum(tf.mul(square, x));
      },
      { x },
    );
    expect(read(caught.gradient.x)).toEqual([3, 12]);
    caught.value.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("what has no parameters is refused", () => {
    expect(() => valueAndGradient(() => tf.scalar(1), { none: [] })).toThrow("has no parameters");
  });

  test("what is no scalar is refused", () => {
    const x = tf.tensor1d([1, 2]);
    expect(() => valueAndGradient(({ x }) => tf.square(x), { x })).toThrow(
      /must return a scalar, not a tensor of shape \[2\]/,
    );
    expect(() => valueAndGradient(() => 3 as unknown as Scalar, { x })).toThrow(/must return a tensor/);
  });
});
