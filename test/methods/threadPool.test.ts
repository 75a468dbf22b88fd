import { afterEach, describe, expect, it } from "vitest";
import { parseLdaC } from "../../src/data/ldaC.js";
import { randomKey } from "../../src/engine/random.js";
import { distributedVariationalInference } from "../../src/methods/distributedVariationalInference.js";
import { ldaStatistics } from "../../src/methods/ldaStatistics.js";
import { localPool } from "../../src/methods/statisticsPool.js";
import { threadPool } from "../../src/methods/threadPool.js";
import { latentDirichletAllocation } from "../../src/models/latentDirichletAllocation.js";
import { distributed, localMap, start, workerSource } from "./statisticsPools.js";

const interrupt = Symbol.for("marginalia.interrupt");
afterEach(() => {
  delete (globalThis as Record<symbol, unknown>)[interrupt];
});

describe("threadPool", () => {
  it("gives a run the bits of one process, synchronous and stale, and again", async () => {
    const pool = await threadPool(workerSource(), { threads: 2 });
    try {
      for (const staleness of [0, 2, 0]) {
        const here = await distributedVariationalInference(distributed(localPool(localMap), { staleness }));
        const there = await distributedVariationalInference(distributed(pool, { staleness }));
        expect(there.global).toEqual(here.global);
        expect(there.trace.map(({ bound }) => bound)).toEqual(here.trace.map(({ bound }) => bound));
      }
    } finally {
      await pool.close();
    }
    await expect(pool.map(start, Int32Array.of(0))).rejects.toThrow("threadPool: the pool is closed; open another.");
  });

  it("carries whole documents, and leaves the caller's arrays alone", async () => {
    const options = { topics: 3, vocabulary: 4, alpha: 0.3, eta: 0.4 };
    const corpus = parseLdaC(new TextEncoder().encode("2 0:3 1:1\n2 2:2 3:4\n3 0:1 1:1 3:2\n1 2:6"), "a");
    const model = latentDirichletAllocation(options);
    const global = model.start(randomKey(1));
    const pool = await threadPool(ldaStatistics(options), { threads: 1 });
    const { statistics, bound } = await pool.map(global, corpus);
    await pool.close();
    const here = model.local(global, corpus);
    expect({ statistics, bound }).toEqual({ statistics: here.statistics, bound: here.bound });
    expect(corpus.words.length).toBe(8);
    expect(global.topics.length).toBe(12);
  });

  it("says which worker failed and why, and hangs on nothing", async () => {
    const message = async (fail: "start" | "throw" | "exit" | "hang"): Promise<string> => {
      const pool = await threadPool(workerSource(fail), { threads: 2, taskSeconds: 1 });
      const error = await distributedVariationalInference(distributed(pool)).catch((e: Error) => e);
      await expect(pool.map(start, Int32Array.of(0))).rejects.toThrow(/closed/);
      return (error as Error).message;
    };
    const [thrown, exit, hang] = await Promise.all([message("throw"), message("exit"), message("hang")]);
    expect(thrown).toMatch(/^threadPool: worker [12] of 2 failed at its local step: the third step is too much\.$/);
    expect(exit).toMatch(/^threadPool: worker [12] of 2 died: it ended with exit code 7; the pool is closed\.$/);
    expect(hang).toMatch(
      /^threadPool: worker [12] of 2 took longer than the 1 s of a local step; the pool is closed\.$/,
    );
    await expect(message("start")).rejects.toThrow(
      /^threadPool: worker [12] of 2 did not start: The module .*documents\.mjs gives no statistics: no data here; the pool is closed\.$/,
    );
    const missing = { module: "no-such-package", settings: {} };
    await expect(threadPool(missing, { threads: 1 })).rejects.toThrow(/worker 1 of 1 did not start: .*no-such-package/);
    const without = { module: "node:path", settings: {} };
    await expect(threadPool(without, { threads: 1 })).rejects.toThrow("it exports no function of the name statistics");
  });

  it("refuses what cannot be sent, and options out of range", async () => {
    const pool = await threadPool(workerSource(), { threads: 1 });
    await expect(pool.map(start, (() => 0) as never)).rejects.toThrow(
      /^threadPool: a batch cannot be sent to worker 1 of 1: /,
    );
    await expect(pool.map(start, Int32Array.of(0, 1))).resolves.toHaveProperty("bound");
    await pool.close();
    await expect(threadPool(workerSource(), { threads: 0 })).rejects.toThrow(
      "threads must be a positive integer, not 0.",
    );
    await expect(threadPool(workerSource(), { threads: 1, taskSeconds: 0 })).rejects.toThrow(
      "taskSeconds must be positive",
    );
  });

  it("ends its threads if the cell is interrupted in the middle of a local step", async () => {
    const pool = await threadPool(workerSource("hang"), { threads: 2 });
    const controller = new AbortController();
    (globalThis as Record<symbol, unknown>)[interrupt] = controller.signal;
    setTimeout(() => controller.abort(), 200);
    await expect(distributedVariationalInference(distributed(pool))).rejects.toMatchObject({
      name: "KeyboardInterrupt",
    });
    delete (globalThis as Record<symbol, unknown>)[interrupt];
    await expect(pool.map(start, Int32Array.of(0))).rejects.toThrow("the pool is closed");
  });
});
