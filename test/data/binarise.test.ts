import { beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { binarise } from "../../src/data/binarise.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey, split } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";

beforeAll(async () => {
  await ready();
});

describe("binarise", () => {
  it("draws each pixel with its grey value as probability", async () => {
    const levels = [0, 0.1, 0.5, 0.9, 1];
    const rows = 20_000;
    const grey = tf.tile(tf.tensor2d([levels]), [rows, 1]) as Tensor2D;
    const before = tf.memory().numTensors;
    const drawn = binarise(randomKey(3), grey);
    expectTypeOf(drawn).toEqualTypeOf<Tensor2D>();
    expect(tf.memory().numTensors).toBe(before + 1);
    expect([drawn.shape, drawn.dtype]).toEqual([[rows, 5], "float32"]);
    const values = await drawn.data();
    expect(values.every((value) => value === 0 || value === 1)).toBe(true);
    for (const [p, level] of levels.entries()) {
      let ones = 0;
      for (let b = 0; b < rows; b++) ones += values[b * 5 + p];
      expect(Math.abs(ones / rows - level)).toBeLessThanOrEqual(4 * Math.sqrt((level * (1 - level)) / rows));
    }
    tf.dispose([grey, drawn]);
  });

  it("repeats with the same key and differs with another", async () => {
    const grey = tf.fill([4, 100], 0.5) as Tensor2D;
    const [a, b] = split(randomKey(1), 2);
    const draws = [binarise(a, grey), binarise(a, grey), binarise(b, grey)];
    const [first, again, different] = await Promise.all(draws.map((draw) => draw.data()));
    expect(first).toEqual(again);
    expect(first).not.toEqual(different);
    tf.dispose([grey, ...draws]);
  });
});
