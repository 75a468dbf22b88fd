import { afterEach, describe, expect, it } from "vitest";
import type { Corpus } from "../../src/data/ldaC.js";
import { foldIn, randomKey } from "../../src/engine/random.js";
import { distributedVariationalInference } from "../../src/methods/distributedVariationalInference.js";
import {
  batchesInParts,
  datasetInParts,
  modelInParts,
  rowsInParts,
  sumOfParts,
} from "../../src/methods/minibatchParts.js";
import { simulatedPool } from "../../src/methods/simulatedPool.js";
import { type LocalStatistics, localPool, type StatisticsPool } from "../../src/methods/statisticsPool.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { globalStep } from "../../src/models/conjugateModel.js";
import type { LdaGlobal } from "../../src/models/latentDirichletAllocation.js";
import { uniforms } from "../../src/models/randomStart.js";
import { constant } from "../../src/optimize/schedules.js";
import { data, distributed, key, localMap, model, rate, start } from "./statisticsPools.js";

const interrupt = Symbol.for("marginalia.interrupt");
afterEach(() => {
  delete (globalThis as Record<symbol, unknown>)[interrupt];
});

const svi = { batchSize: 30, rate, steps: 20, traceEvery: 1, start, key };
const timeless = <P extends { readonly seconds: number }>(trace: readonly P[]): Omit<P, "seconds">[] =>
  trace.map(({ seconds: _, ...point }) => point);

/** A pool whose workers are done in an order of chance, in real time. */
function shuffledPool(seed: number): StatisticsPool<LdaGlobal, Int32Array> {
  const delays = uniforms(randomKey(seed), 1000);
  let i = 0;
  return {
    name: "shuffledPool",
    map: (global, batch) =>
      new Promise((resolve) => setTimeout(() => resolve(localMap(global, batch)), 3 * delays[i++])),
    close: async () => {},
  };
}

describe("distributedVariationalInference", () => {
  it("synchronous and with one part a minibatch is SVI, to the bit, and with several SVI of the model in parts", async () => {
    const whole = await stochasticVariationalInference({ ...svi, model, data });
    const one = rowsInParts({ key, total: 90, batchSize: 30, parts: 1 });
    const alone = await distributedVariationalInference(distributed(localPool(localMap), { minibatches: one }));
    expect(alone.global).toEqual(whole.global);
    expect(timeless(alone.trace)).toEqual(timeless(whole.trace).map((point) => ({ ...point, staleness: 0 })));

    const parts = { model: modelInParts(model), data: datasetInParts(data, 3) };
    const inParts = await stochasticVariationalInference({ ...svi, ...parts });
    const several = await distributedVariationalInference(distributed(localPool(localMap)));
    expect(several.global).toEqual(inParts.global);
    expect(several.trace.map(({ bound }) => bound)).toEqual(inParts.trace.map(({ bound }) => bound));
    // The parts change the rounding, and nothing else.
    const [a, b] = [Object.values(several.global), Object.values(whole.global)];
    expect(a).not.toEqual(b);
    a.forEach((values, n) => {
      values.forEach((value, i) => {
        expect(Math.abs(value - b[n][i])).toBeLessThan(1e-9 * (1 + Math.abs(value)));
      });
    });
  });

  it("sums parts in their order and leaves them as they were", () => {
    const part = (topics: number): LocalStatistics<LdaGlobal> => ({
      statistics: { topics: Float64Array.of(topics, 1) },
      bound: topics,
    });
    const parts = [part(0.1), part(0.2), part(0.3)];
    const sum = sumOfParts({ topics: new Float64Array(2) }, parts);
    expect(sum).toEqual({ statistics: { topics: Float64Array.of(0.1 + 0.2 + 0.3, 3) }, bound: 0.1 + 0.2 + 0.3 });
    expect(parts).toEqual([part(0.1), part(0.2), part(0.3)]);
  });

  it("takes batches in place of rows", async () => {
    const { pool: _, minibatches: __, ...rest } = distributed(localPool(localMap));
    const minibatches = batchesInParts(data, { key, batchSize: 30, parts: 3 });
    const pool = localPool<LdaGlobal, Corpus>((global, batch) => model.local(global, batch));
    const { global } = await distributedVariationalInference({ ...rest, pool, minibatches });
    expect(global).toEqual((await distributedVariationalInference(distributed(localPool(localMap)))).global);
  });

  it("in the order of steps has the bits of its key, whichever worker is done first", async () => {
    for (const staleness of [0, 3]) {
      const local = await distributedVariationalInference(distributed(localPool(localMap), { staleness }));
      const shuffled = await distributedVariationalInference(distributed(shuffledPool(5), { staleness }));
      expect(shuffled.global).toEqual(local.global);
      expect(timeless(shuffled.trace)).toEqual(timeless(local.trace));
    }
  });

  it("with staleness τ uses the statistics at q(θ) of τ steps before", async () => {
    const staleness = 4;
    const minibatches = rowsInParts({ key, total: 90, batchSize: 30, parts: 1 });
    const run = await distributedVariationalInference(distributed(localPool(localMap), { staleness, minibatches }));
    const globals = [start];
    for (let t = 0; t < 20; t++) {
      const { statistics } = localMap(globals[Math.max(0, t - staleness)], minibatches(t).parts[0]);
      globals.push(globalStep({ global: globals[t], prior: model.prior, statistics, scale: 3, rate: rate(t) }));
    }
    expect(run.global).toEqual(globals[20]);
    expect(run.trace.map((point) => point.staleness)).toEqual(
      Array.from({ length: 20 }, (_, t) => Math.min(t, staleness)),
    );
  });

  it("in the order of arrival lets nothing get older than τ, uses every minibatch once, and gains what waiting cost", async () => {
    const [steps, workers] = [300, 8];
    // Every eighth local step takes twenty times as long.
    const slow = uniforms(foldIn(key, 1), 2 * steps);
    const seconds = (i: number): number => (slow[i] < 1 / 8 ? 20 : 1) * (0.5 + slow[i + steps]);
    const run = async (
      staleness: number,
      order: "steps" | "arrival",
    ): Promise<{ clock: number; most: number; ages: number[] }> => {
      const used: number[] = [];
      const ages: number[] = [];
      const pool = simulatedPool<LdaGlobal, Int32Array>({ map: localMap, workers, seconds });
      const rows = rowsInParts({ key, total: 90, batchSize: 30, parts: 1 });
      const minibatches = (step: number): ReturnType<typeof rows> => {
        used.push(step);
        return rows(step);
      };
      const onProgress = ({ staleness: age }: { readonly staleness: number }): void => void ages.push(age);
      await distributedVariationalInference(distributed(pool, { minibatches, steps, staleness, order, onProgress }));
      expect(used.toSorted((a, b) => a - b)).toEqual(Array.from({ length: steps }, (_, t) => t));
      return { clock: pool.clock(), most: Math.max(...ages), ages };
    };
    const arrival = await run(15, "arrival");
    expect(arrival.most).toBe(15);
    expect(new Set(arrival.ages).size).toBeGreaterThan(5);
    const inOrder = await run(7, "steps");
    expect(inOrder.most).toBe(7);
    expect(arrival.clock).toBeLessThan(0.8 * inOrder.clock);
    expect(await run(15, "arrival")).toEqual(arrival);
  });

  it("refuses what makes no sense, and closes the pool", async () => {
    const refusal = async (changes: Parameters<typeof distributed>[1]): Promise<string> => {
      const pool = localPool(localMap);
      const error = await distributedVariationalInference(distributed(pool, changes)).catch((e: Error) => e);
      await expect(pool.map(start, Int32Array.of(0))).rejects.toThrow("localPool: the pool is closed; open another.");
      return (error as Error).message;
    };
    expect(await refusal({ steps: 0 })).toMatch("steps must be a positive integer, not 0.");
    expect(await refusal({ total: 1.5 })).toMatch("total must be a positive integer, not 1.5.");
    expect(await refusal({ staleness: -1 })).toMatch("staleness must be an integer ≥ 0, not -1.");
    expect(await refusal({ rate: constant(2) })).toMatch("the rate of step 0 must be in (0, 1], not 2.");
    expect(await refusal({ start: { ...start, topics: Float64Array.of(NaN) } })).toMatch("NaN");
    const wrong = Object.fromEntries(Object.keys(start).map((name) => [name, new Float64Array(1)])) as LdaGlobal;
    const other: LocalStatistics<LdaGlobal> = { statistics: wrong, bound: 0 };
    await expect(distributedVariationalInference(distributed(localPool(() => other)))).rejects.toThrow(
      /^The statistics ".*" of part 0 have 1 numbers, but q\(θ\) has \d+: give every worker the same model\.$/,
    );
    expect(() => rowsInParts({ key, total: 90, batchSize: 30, parts: 31 })).toThrow("from 1 to the 30 rows, not 31.");
  });

  it("stops while it waits for workers if the cell is interrupted", async () => {
    const controller = new AbortController();
    (globalThis as Record<symbol, unknown>)[interrupt] = controller.signal;
    let closed = false;
    const pool: StatisticsPool<LdaGlobal, Int32Array> = {
      name: "never",
      map: () => new Promise(() => {}),
      close: async () => {
        closed = true;
      },
    };
    setTimeout(() => controller.abort(), 20);
    await expect(distributedVariationalInference(distributed(pool))).rejects.toMatchObject({
      name: "KeyboardInterrupt",
    });
    expect(closed).toBe(true);
  });
});
