import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { tf } from "../../src/engine/tf.js";
import { stopGradient } from "../../src/ops/stopGradient.js";
import { where } from "../../src/ops/where.js";
import { backends, expectNoLeak, read } from "../engine/support.js";

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("passes the value on and no gradient", () => {
    const { value, gradient } = valueAndGradient(({ x }) => tf.sum(tf.mul(x, stopGradient(tf.square(x)))), {
      x: tf.tensor1d([2, 3]),
    });
    expect(read(value)).toEqual([35]);
    expect(read(gradient.x)).toEqual([4, 9]);
  });

  test("leaves a function of nothing but constants with the gradient zero", () => {
    const { gradient } = valueAndGradient(({ x }) => tf.sum(stopGradient(x)), { x: tf.tensor1d([2, 3]) });
    expect(read(gradient.x)).toEqual([0, 0]);
  });

  test("lets a mask depend on what is differentiated", () => {
    const clipped = (x: tf.Tensor): tf.Tensor =>
      where(
        stopGradient(() => tf.less(x, 0)),
        tf.zerosLike(x),
        tf.square(x),
      );
    const { gradient } = valueAndGradient(({ x }) => tf.sum(clipped(x)), { x: tf.tensor1d([-2, 3]) });
    expect(read(gradient.x)).toEqual([0, 6]);
  });

  test("leaves no tensor behind", () => {
    const x = tf.tensor1d([1, 2]);
    expectNoLeak(() => stopGradient(x));
    expectNoLeak(() => stopGradient(() => tf.square(tf.add(x, 1))));
    expectNoLeak(() => {
      const { value, gradient } = valueAndGradient(({ x }) => tf.sum(tf.mul(x, stopGradient(x))), { x });
      return [value, gradient.x];
    });
  });
});
