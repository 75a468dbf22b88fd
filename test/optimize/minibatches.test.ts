import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { randomKey, uniform } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { minibatches } from "../../src/optimize/minibatches.js";
import { expectNoLeak, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const rows = (n: number): Tensor2D => tf.reshape(tf.range(0, 2 * n), [n, 2]) as Tensor2D;

describe("minibatches", () => {
  it("goes through every row once a pass, in another order each pass", () => {
    const batches = minibatches({ data: rows(12), size: 4, key: randomKey(5) });
    expect(batches.perEpoch).toBe(3);
    const pass = (epoch: number) => [0, 1, 2].flatMap((i) => Array.from(batches.rowsAt(3 * epoch + i)));
    const [first, second] = [pass(0), pass(1)];
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect([...second].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(first).not.toEqual(second);
  });

  it("is a function of the step alone, gives the rows it names and the scale N/S", () => {
    const batches = minibatches({ data: rows(10), size: 3, key: randomKey(5) });
    const late = batches.at(7);
    const again = minibatches({ data: rows(10), size: 3, key: randomKey(5) }).at(7);
    const picked = read(late.rows);
    expect(read(again.rows)).toEqual(picked);
    expect(late.scale).toBeCloseTo(10 / 3, 15);
    expect(read(late.x)).toEqual(picked.flatMap((i) => [2 * i, 2 * i + 1]));
  });

  it("makes (N/S) Σ over a batch an unbiased estimate of Σ over the data, leftover rows included", () => {
    const batches = minibatches({ data: rows(10), size: 4, key: randomKey(6) });
    const counts = new Array(10).fill(0);
    const passes = 5000;
    for (let step = 0; step < passes * batches.perEpoch; step++) {
      for (const i of batches.rowsAt(step)) counts[i]++;
    }
    // Each row is in a pass with probability .8; four standard errors of 5,000 passes.
    for (const count of counts) expect(Math.abs(count / passes - 0.8)).toBeLessThan(4 * Math.sqrt(0.16 / passes));
  });

  it("transforms each batch with a key of its own", () => {
    const binarise = (x: Tensor2D, key: ReturnType<typeof randomKey>) =>
      tf.cast(tf.less(uniform(key, x.shape), x), "float32") as Tensor2D;
    const data = tf.fill([40, 3], 0.5) as Tensor2D;
    const batches = minibatches({ data, size: 40, key: randomKey(5), transform: binarise });
    const [first, second, again] = [0, 1, 0].map((step) => read(batches.at(step).x));
    expect(new Set(first)).toEqual(new Set([0, 1]));
    expect(first).not.toEqual(second);
    expect(first).toEqual(again);
    expectNoLeak(() => {
      const { x, rows } = batches.at(1);
      rows.dispose();
      return x;
    });
  });

  it("names the value that is not finite, and refuses sizes and shapes that make no sense", () => {
    const key = randomKey(1);
    const data = tf.tensor2d([
      [1, 2, 3],
      [4, Number.NaN, 6],
    ]);
    expect(() => minibatches({ data, size: 1, key })).toThrow("data[1, 1] is NaN");
    expect(() => minibatches({ data: tf.zeros([0, 3]) as Tensor2D, size: 1, key })).toThrow("empty");
    expect(() => minibatches({ data: rows(3), size: 4, key })).toThrow("from 1 to the 3 rows");
    expect(() => minibatches({ data: rows(3), size: 0, key })).toThrow("size must be an integer");
    expect(() => minibatches({ data: tf.zeros([3]) as unknown as Tensor2D, size: 1, key })).toThrow("shape [3]");
  });
});
