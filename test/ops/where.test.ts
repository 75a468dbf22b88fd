import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { tf } from "../../src/engine/tf.js";
import { where } from "../../src/ops/where.js";
import { backends, expectNoLeak, read } from "../engine/support.js";

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("the branch that was not taken gets the gradient 0, whatever comes in", () => {
    const condition = tf.tensor1d([1, 0], "bool");
    const { gradient } = valueAndGradient(
      ({ a, b }) => tf.sum(tf.mul(where(condition, a, b), tf.tensor1d([Number.POSITIVE_INFINITY, 1]))),
      { a: tf.tensor1d([1, 1]), b: tf.tensor1d([1, 1]) },
    );
    expect(read(gradient.a)).toEqual([Number.POSITIVE_INFINITY, 0]);
    expect(read(gradient.b)).toEqual([0, 1]);
  });

  test("broadcasts, leaves no tensor behind, and names shapes that do not fit", () => {
    const condition = tf.tensor2d([[1], [0]], [2, 1], "bool");
    const a = tf.tensor1d([1, 2, 3]);
    const b = tf.scalar(0);
    expect(read(where(condition, a, b))).toEqual([1, 2, 3, 0, 0, 0]);
    expectNoLeak(() => where(condition, a, b));
    expect(() => where(condition, a, tf.zeros([4]))).toThrow(
      /where: the shapes condition \[2, 1\] and a \[3\] and b \[4\]/,
    );
  });
});
