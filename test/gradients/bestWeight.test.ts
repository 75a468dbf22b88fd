import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { tf } from "../../src/engine/tf.js";
import { bestWeight } from "../../src/gradients/bestWeight.js";
import { expectClose, read } from "../engine/support.js";

beforeAll(async () => void (await ready()));

describe("bestWeight", () => {
  it("is the slope of the regression of f on h, column by column", () => {
    const h = tf.tensor2d([
      [1, 2],
      [2, 0],
      [4, 1],
    ]);
    const noise = tf.tensor2d([
      [2, 1],
      [-3, 1],
      [1, -2],
    ]); // of no correlation with h
    const f = tf.add(tf.mul(h, tf.tensor1d([3, -0.5])), noise);
    expectClose(read(bestWeight(f, h)), [3, -0.5], 1e-5);
  });

  it("is 0 where h does not vary, however its mean rounds", () => {
    for (let draws = 2; draws < 40; draws++)
      for (let j = 0; j < 10; j++) {
        const value = Math.sin(31 * draws + 7.7 * j);
        const [f, h] = [0.77 * value, value].map((number) => tf.fill([draws, 1], number));
        expect(read(bestWeight(f!, h!)), `${draws} times ${value}`).toEqual([0]);
      }
  });
});
