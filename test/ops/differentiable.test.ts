import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { tf } from "../../src/engine/tf.js";
import { differentiable } from "../../src/ops/differentiable.js";
import { backends, expectNoLeak, read } from "../engine/support.js";

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("computes the gradients that are asked for and no other", () => {
    const asked: string[] = [];
    const product = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      differentiable(
        [a, b],
        (save) => {
          save([a, b]);
          return tf.mul(a, b);
        },
        (dy, [a, b]) => [
          () => {
            asked.push("a");
            return tf.mul(dy, b!);
          },
          () => {
            asked.push("b");
            return tf.mul(dy, a!);
          },
        ],
      );
    const fixed = tf.tensor1d([5, 7]);
    const { gradient } = valueAndGradient(({ a }) => tf.sum(product(a, fixed)), { a: tf.tensor1d([2, 3]) });
    expect(read(gradient.a)).toEqual([5, 7]);
    expect(asked).toEqual(["a"]);
    const a = tf.tensor1d([2, 3]);
    expectNoLeak(() => product(a, fixed));
    expectNoLeak(() => {
      const { value, gradient } = valueAndGradient(({ a }) => tf.sum(product(a, a)), { a });
      return [value, gradient.a];
    });
  });
});
