import { describe, expect, it } from "vitest";
import { simulatedPool } from "../../src/methods/simulatedPool.js";

type Numbers = { readonly x: Float64Array };
const double = (global: Numbers, batch: number): { statistics: Numbers; bound: number } => ({
  statistics: { x: global.x.map((x) => x * batch) },
  bound: batch,
});
const global = { x: Float64Array.of(1, 2) };

describe("simulatedPool", () => {
  it("is a queue with W servers: who is done when, by hand", async () => {
    // Worker A: task 0 from 0 to 5. Worker B: tasks 1 (0 to 1), 2 (1 to 3), 3 (3 to 4), 4 (4 to 8). A again: task 5 (5 to 6).
    const seconds = [5, 1, 2, 1, 4, 1];
    const pool = simulatedPool({ map: double, workers: 2, seconds: (i) => seconds[i] });
    const done: [number, number][] = [];
    const asked = seconds.map((_, i) => pool.map(global, i).then(() => void done.push([i, pool.clock()])));
    for (let i = 0; i < 7; i++) {
      pool.waiting!();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(asked);
    expect(done).toEqual([
      [1, 1],
      [2, 3],
      [3, 4],
      [0, 5],
      [5, 6],
      [4, 8],
    ]);
  });

  it("computes what the map does, and hands on what it throws", async () => {
    const pool = simulatedPool({ map: double, workers: 1, seconds: () => 1 });
    const asked = pool.map(global, 3);
    pool.waiting!();
    expect(await asked).toEqual({ statistics: { x: Float64Array.of(3, 6) }, bound: 3 });
    const failing = simulatedPool<Numbers, number>({
      map: () => {
        throw new Error("no");
      },
      workers: 1,
      seconds: () => 1,
    });
    const failed = failing.map(global, 1);
    failing.waiting!();
    await expect(failed).rejects.toThrow("no");
  });

  it("refuses delays that are none, and is closed once", async () => {
    expect(() => simulatedPool({ map: double, workers: 0, seconds: () => 1 })).toThrow(
      "workers must be a positive integer, not 0.",
    );
    const pool = simulatedPool({ map: double, workers: 1, seconds: (i) => i });
    await expect(pool.map(global, 1)).rejects.toThrow(
      "the seconds of local step 0 must be positive and finite, not 0.",
    );
    const open = simulatedPool({ map: double, workers: 1, seconds: () => 1 });
    const asked = open.map(global, 1);
    await open.close();
    await expect(asked).rejects.toThrow("the pool is closed");
    await expect(open.map(global, 1)).rejects.toThrow("the pool is closed");
  });
});
