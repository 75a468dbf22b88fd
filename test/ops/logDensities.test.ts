import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { tf } from "../../src/engine/tf.js";
import { bernoulliLogDensity } from "../../src/ops/bernoulliLogDensity.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { backends, expectClose, read } from "../engine/support.js";

const normal = (x: number, m: number, s: number): number =>
  -0.5 * ((x - m) / s) ** 2 - Math.log(s) - 0.5 * Math.log(2 * Math.PI);
const bernoulli = (x: number, l: number): number => x * l - Math.max(l, 0) - Math.log1p(Math.exp(-Math.abs(l)));

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("normalLogDensity is its closed form, far tails and both broadcasts included", () => {
    const xs = [-1e6, -300, -3, 0, 0.5, 40, 1e15];
    expectClose(
      read(normalLogDensity(tf.tensor1d(xs), 0.5, 2)),
      xs.map((x) => normal(x, 0.5, 2)),
      1e-6,
    );
    const summed = normalLogDensity(tf.tensor1d([1, 2]), tf.tensor2d([[0], [3]]), tf.tensor1d([1, 4]), 1);
    expect(summed.shape).toEqual([2]);
    expectClose(read(summed), [normal(1, 0, 1) + normal(2, 0, 4), normal(1, 3, 1) + normal(2, 3, 4)], 1e-6);
    const number = normalLogDensity(tf.tensor1d([1, 2]), 0, 3, 1);
    expectClose(read(number), [normal(1, 0, 3) + normal(2, 0, 3)], 1e-6);
    const scalar = normalLogDensity(tf.tensor1d([1, 2]), 0, tf.scalar(3), 1);
    expectClose(read(scalar), [normal(1, 0, 3) + normal(2, 0, 3)], 1e-6);
  });

  test("bernoulliLogDensity is its closed form, saturated logits included", () => {
    const logits = [-1e4, -100, -3, 0, 3, 100, 1e4];
    for (const x of [0, 1, 0.25]) {
      expectClose(
        read(bernoulliLogDensity(tf.scalar(x), tf.tensor1d(logits))),
        logits.map((l) => bernoulli(x, l)),
        1e-6,
      );
    }
    const summed = bernoulliLogDensity(tf.tensor2d([[1, 0]]), tf.tensor3d([[[1, 2]], [[3, 4]]]), 1);
    expect(summed.shape).toEqual([2, 1]);
    expectClose(read(summed), [bernoulli(1, 1) + bernoulli(0, 2), bernoulli(1, 3) + bernoulli(0, 4)], 1e-6);
  });

  test("shapes that do not fit are named", () => {
    expect(() => normalLogDensity(tf.zeros([2]), tf.zeros([3]), 1)).toThrow(
      /x \[2\] and mean \[3\] and scale \[\] do not broadcast/,
    );
    expect(() => bernoulliLogDensity(tf.zeros([2]), tf.zeros([3]))).toThrow(
      /x \[2\] and logits \[3\] do not broadcast/,
    );
  });
});
