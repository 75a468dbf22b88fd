import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { type Key, randomKey, uniform } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { sir, sirIndices } from "../../src/samplers/sir.js";
import { expectNoLeak, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const never = Number.NEGATIVE_INFINITY;

describe("sirIndices", () => {
  it("never draws an index of weight zero, even where the uniform draw is exactly 0", () => {
    const size = 1 << 16;
    const keys = Array.from({ length: 2000 }, (_, seed) => randomKey(seed));
    const key = keys.find((key) => read(tf.min(uniform(key, [size])))[0] === 0); // one in 128 has such a draw
    const logW = tf.concat([tf.fill([1, size], never), tf.zeros([2, size])], 0);
    expect(read(tf.min(sirIndices(logW, key as Key)))).toEqual([1]);
  });

  it("draws each index as often as its normalised weight says", () => {
    const weights = [0, 1, 4, 0.5, 2.5, 0, 2, 0];
    const n = 200_000;
    const logW = tf.tidy(() => tf.tile(tf.reshape(tf.tensor1d(weights.map((w) => 300 + Math.log(w))), [8, 1]), [1, n]));
    const counts = new Array(8).fill(0);
    for (const index of read(sirIndices(logW, randomKey(1)))) counts[index]++;
    // Pearson's statistic over the five possible indices: 4 degrees of freedom, 18.5 with probability .001.
    let statistic = 0;
    weights.forEach((weight, k) => {
      if (weight === 0) expect(counts[k]).toBe(0);
      else statistic += (counts[k] - (n * weight) / 10) ** 2 / ((n * weight) / 10);
    });
    expect(statistic).toBeLessThan(18.5);
    logW.dispose();
  });

  it("never draws an impossible index, and always one in range", () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.double({ min: -80, max: 80, noNaN: true }), { nil: never }), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.integer({ min: 0, max: 1000 }),
        (values, seed) => {
          fc.pre(values.some((value) => value !== never));
          const logW = tf.tidy(() => tf.tile(tf.reshape(tf.tensor1d(values, "float32"), [-1, 1]), [1, 50]));
          for (const index of read(sirIndices(logW, randomKey(seed)))) expect(values[index]).toBeGreaterThan(never);
          logW.dispose();
        },
      ),
      { numRuns: 50, seed: 7 },
    );
  });

  it("says what is wrong with weights that cannot be resampled", () => {
    expect(() => sirIndices(tf.tensor2d([[never], [never]]), randomKey(1))).toThrow("all weights of a batch are zero");
    expect(() => sirIndices(tf.tensor2d([[Number.NaN], [0]]), randomKey(1))).toThrow("NaN or +∞");
    expect(() => sirIndices(tf.tensor2d([[Number.POSITIVE_INFINITY], [0]]), randomKey(1))).toThrow("NaN or +∞");
    expect(() => sirIndices(tf.zeros([0, 2]), randomKey(1))).toThrow("K ≥ 1");
  });
});

describe("sir", () => {
  it("returns the latents that the indices name, for every batch at once", () => {
    const [samples, n, batch, dimension] = [5, 7, 3, 2];
    const logW = tf.tensor(
      Float32Array.from({ length: samples * n * batch }, (_, i) => Math.sin(i)),
      [samples, n, batch],
    );
    const z = tf.tensor(
      Float32Array.from({ length: samples * n * batch * dimension }, (_, i) => i),
      [samples, n, batch, dimension],
    );
    const indices = read(sirIndices(logW, randomKey(3)));
    const expected = indices.flatMap((k, column) => [0, 1].map((d) => (k * n * batch + column) * dimension + d));
    const chosen = sir(z, logW, randomKey(3));
    expect(chosen.shape).toEqual([n, batch, dimension]);
    expect(read(chosen)).toEqual(expected);
    expectNoLeak(() => sir(z, logW, randomKey(3)));
    expect(() => sir(tf.zeros([5, 7, 2]), logW, randomKey(3))).toThrow("one more axis");
  });
});
