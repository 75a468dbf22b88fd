import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { offTape } from "../../src/engine/offTape.js";
import { onOwnTape } from "../../src/engine/ownTape.js";
import { type Scalar, type Tensor, tf } from "../../src/engine/tf.js";
import { slopeAt } from "../../src/samplers/slope.js";
import { backends, expectNoLeak, read } from "../engine/support.js";
import { quartic } from "./targets.js";

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test("gives every row its own log-density and gradient, for any leading shape", () => {
    const q = tf.tensor3d([1, 2, 3, 4], [2, 1, 2]);
    const slope = onOwnTape(() => slopeAt(quartic, q));
    expect(slope.logDensity.shape).toEqual([2, 1]);
    expect(read(slope.logDensity)).toEqual([-17 / 4, -(81 + 256) / 4]);
    expect(read(slope.gradient)).toEqual([-1, -8, -27, -64]);
  });

  test("a flat log-density has the gradient 0", () => {
    expect(read(onOwnTape(() => slopeAt(() => tf.ones([2]), tf.ones([2, 3]))).gradient)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("is a constant to the derivative around it, and leaves that derivative as it was", () => {
    const { gradient, value } = valueAndGradient(
      ({ a }) => {
        const before = tf.square(a);
        const { gradient: inner } = onOwnTape(() => slopeAt((q) => quartic(tf.mul(q, a)), tf.tensor2d([[1, 2]])));
        return tf.sum(tf.mul(before, inner)) as Scalar;
      },
      { a: tf.tensor1d([2, 3]) },
    );
    // inner = −a⁴ q³ = (−16, −648); d/da (a² · inner) with inner held = 2 a inner.
    expect(read(gradient.a)).toEqual([-64, -3888]);
    expect(read(value)).toEqual([-4 * 16 - 9 * 648]);
  });

  test("takes gradients even inside a custom gradient, where the outer tape rests", () => {
    const slope = offTape(() => onOwnTape(() => slopeAt(quartic, tf.tensor2d([[2]]))).gradient);
    expect(read(slope)).toEqual([-8]);
  });

  test("leaves nothing behind, also where the log-density throws in the middle of a derivative", () => {
    const q = tf.tensor2d([[1, 2]]);
    expectNoLeak(() => Object.values(onOwnTape(() => slopeAt(quartic, q))) as Tensor[]);
    const broken = (q: Tensor): Tensor => {
      tf.mul(tf.square(q), tf.exp(q));
      throw new Error("in the middle");
    };
    const before = tf.memory().numTensors;
    const { value, gradient } = valueAndGradient(
      ({ q }) => {
        const square = tf.square(q);
        expect(() => onOwnTape(() => slopeAt(broken, q))).toThrow("in the middle");
        return tf.sum(tf.mul(square, q)) as Scalar;
      },
      { q },
    );
    expect(read(gradient.q)).toEqual([3, 12]);
    value.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("says what a log-density of the wrong shape should return", () => {
    const q = tf.ones([4, 3]);
    expect(() => onOwnTape(() => slopeAt((q) => tf.sum(q), q))).toThrow(
      "logDensity must map positions of shape [4,3] to log-densities of shape [4], but returned []; sum over the last axis alone.",
    );
    expect(() => onOwnTape(() => slopeAt((q) => tf.square(q), q))).toThrow("returned [4,3]");
  });
});
