import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { tf } from "../../src/engine/tf.js";
import { logMeanExp } from "../../src/ops/logMeanExp.js";
import { logSumExp } from "../../src/ops/logSumExp.js";
import { backends, expectClose, read } from "../engine/support.js";

const nothing = Number.NEGATIVE_INFINITY;

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("neither overflows nor underflows", () => {
    const x = tf.tensor2d([
      [1e4, 1e4],
      [-1e4, -1e4],
      [0, Math.log(3)],
    ]);
    expectClose(read(logSumExp(x)), [1e4 + Math.LN2, -1e4 + Math.LN2, Math.log(4)], 1e-6);
    expectClose(read(logMeanExp(x)), [1e4, -1e4, Math.LN2], 1e-6);
  });

  test("takes −∞ as a term of weight zero, and a slice of nothing else as −∞ with the gradient 0", () => {
    const x = tf.tensor2d([
      [nothing, 1, nothing],
      [nothing, nothing, nothing],
    ]);
    expect(read(logSumExp(x))).toEqual([1, nothing]);
    const { gradient } = valueAndGradient(({ x }) => tf.sum(tf.mul(logSumExp(x), tf.tensor1d([2, 3]))), { x });
    expect(read(gradient.x)).toEqual([0, 2, 0, 0, 0, 0]);
  });

  test("sums the axis it is given", () => {
    const x = tf.zeros([2, 3, 5]);
    expect(logSumExp(x, 1).shape).toEqual([2, 5]);
    expect(logSumExp(x, -2, true).shape).toEqual([2, 1, 5]);
    expectClose(read(logSumExp(x, 0)), Array(15).fill(Math.LN2), 1e-6);
  });
});
