import { afterEach, describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { cavi } from "../../src/methods/cavi.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { naturalGradientError, svrgVariationalInference } from "../../src/methods/svrgVariationalInference.js";
import { globalStep, rowsDataset } from "../../src/models/conjugateModel.js";
import { corpusDataset } from "../../src/models/corpusDataset.js";
import type { MixtureGlobal } from "../../src/models/gaussianMixture.js";
import { latentDirichletAllocation } from "../../src/models/latentDirichletAllocation.js";
import { sampledRows } from "../../src/optimize/sampledRows.js";
import { constant } from "../../src/optimize/schedules.js";
import { subsets } from "../optimize/finiteSums.js";
import { fortyDocuments, mixture, threeClusters } from "./conjugate.js";

const interrupt = Symbol.for("marginalia.interrupt");
afterEach(() => {
  delete (globalThis as Record<symbol, unknown>)[interrupt];
});

const points = threeClusters(1, 90);
const data = rowsDataset(points);
const key = randomKey(11);
const start = mixture.start(randomKey(4), points);
const flat = ({ weights, components }: MixtureGlobal): number[] => [...weights, ...components];

describe("svrgVariationalInference", () => {
  it("with S = N and ρ = 1 is CAVI", async () => {
    const batch = await cavi({ model: mixture, data: points, start, tolerance: 0, maxSteps: 6 });
    const run = await svrgVariationalInference({
      model: mixture,
      data,
      batchSize: 90,
      rate: constant(1),
      steps: 6,
      start,
      key,
    });
    const expected = flat(batch.global);
    flat(run.global).forEach((value, i) => {
      expect(Math.abs(value - expected[i])).toBeLessThan(1e-10 * (1 + Math.abs(expected[i])));
    });
    expect(run.bound).toBeCloseTo(batch.bound, 9);
  });

  it("steps by statistics that are unbiased, with the error that is reported: over every minibatch", async () => {
    const few = threeClusters(3, 7);
    const set = rowsDataset(few);
    const [S, rho] = [3, 0.2];
    const snapshot = start;
    const options = {
      model: mixture,
      data: set,
      batchSize: S,
      rate: constant(rho),
      innerSteps: 10,
      start: snapshot,
      key,
    };
    const global = (await svrgVariationalInference({ ...options, steps: 1 })).global;
    const all = flat(mixture.local(snapshot, few).statistics as MixtureGlobal);
    const exact = flat(mixture.local(global, few).statistics as MixtureGlobal);
    const estimate = (rows: Int32Array): number[] => {
      const here = flat(mixture.local(global, set.take(rows)).statistics as MixtureGlobal);
      const there = flat(mixture.local(snapshot, set.take(rows)).statistics as MixtureGlobal);
      return all.map((value, i) => value + (7 / S) * (here[i] - there[i]));
    };
    const batches = subsets(7, S).map(estimate);
    exact.forEach((value, i) => {
      expect(batches.reduce((s, b) => s + b[i] / batches.length, 0)).toBeCloseTo(value, 10);
    });
    const error = batches.reduce((s, b) => s + b.reduce((t, v, i) => t + (v - exact[i]) ** 2, 0) / batches.length, 0);
    const reported = await naturalGradientError({ model: mixture, data: set, global, snapshot, batchSize: S });
    expect(reported.error / error).toBeCloseTo(1, 9);
    const gradient = flat(mixture.prior).map((value, i) => value + exact[i] - flat(global)[i]);
    expect(reported.squaredNorm / gradient.reduce((s, v) => s + v * v, 0)).toBeCloseTo(1, 10);
    // And the second step goes along the one of its rows.
    const chosen = estimate(sampledRows(key, 7, S)(1));
    const next = flat((await svrgVariationalInference({ ...options, steps: 2 })).global);
    const expected = globalStep({
      global: { all: Float64Array.from(flat(global)) },
      prior: { all: Float64Array.from(flat(mixture.prior)) },
      statistics: { all: Float64Array.from(chosen) },
      scale: 1,
      rate: rho,
    }).all;
    next.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 9);
    });
  });

  it("comes to CAVI's optimum with a constant rate, where its error goes to zero and SVI's does not", async () => {
    const optimum = await cavi({ model: mixture, data: points, start, tolerance: 0, maxSteps: 300 });
    const common = { model: mixture, data, batchSize: 10, rate: constant(0.1), steps: 1200, start, key };
    const run = await svrgVariationalInference(common);
    expect(optimum.bound - run.bound).toBeLessThan(1e-9);
    const svi = await stochasticVariationalInference(common);
    const elbo = (global: typeof start): number => mixture.local(global, points).bound - mixture.kl(global);
    expect(optimum.bound - elbo(svi.global)).toBeGreaterThan(1e-3);
    const at = { model: mixture, data, batchSize: 10, global: run.global };
    const before = svi.global;
    const far = await naturalGradientError({ ...at, snapshot: before });
    const near = await naturalGradientError({ ...at, snapshot: optimum.global });
    const plain = await naturalGradientError(at);
    expect(near.error).toBeLessThan(1e-9 * plain.error);
    expect(far.error).toBeLessThan(0.5 * plain.error);
    expect(near.squaredNorm).toBeLessThan(1e-8);
  });

  it("near the optimum comes nearer by the same factor in every loop, that of damped CAVI: (1 − ρ)^m where CAVI's own is 0", async () => {
    const optimum = (await cavi({ model: mixture, data: points, start, tolerance: 0, maxSteps: 300 })).global;
    const distances: number[] = [];
    const note = (_: unknown, global: MixtureGlobal): void =>
      void distances.push(Math.hypot(...flat(global).map((value, i) => value - flat(optimum)[i])));
    await cavi({ model: mixture, data: points, start, tolerance: 0, maxSteps: 30, onProgress: note });
    const near = distances.filter((d) => d > 1e-9);
    expect(near[near.length - 1] / near[near.length - 2]).toBeLessThan(1e-3);
    for (const seed of [11, 12, 13]) {
      distances.length = 0;
      const common = { model: mixture, data, batchSize: 10, rate: constant(0.1), innerSteps: 18, steps: 450, start };
      await svrgVariationalInference({ ...common, key: randomKey(seed), onProgress: note });
      const from = distances.findIndex((d) => d < 1e-2);
      const factors = distances.slice(from, from + 11).map((d, i) => d / distances[from + i - 1]);
      expect(factors).toHaveLength(11);
      for (const factor of factors.slice(1)) expect(Math.abs(factor / 0.9 ** 18 - 1)).toBeLessThan(0.02);
    }
  });

  it("on LDA leaves the natural parameters at a rate usual for SVI, and not from an update of CAVI at half S/N", async () => {
    const lda = latentDirichletAllocation({ topics: 5, vocabulary: 25, alpha: 0.2, eta: 0.05 });
    const options = { model: lda, data: corpusDataset(fortyDocuments), batchSize: 4, key };
    const begun = lda.start(randomKey(1));
    const usual = svrgVariationalInference({ ...options, rate: constant(0.2), steps: 100, start: begun });
    await expect(usual).rejects.toThrow(
      /q\(θ\) is outside its natural parameters \(.*every λ must be positive.*start from an update of cavi/,
    );
    const { global } = await cavi({ model: lda, data: fortyDocuments, start: begun, tolerance: 0, maxSteps: 1 });
    const run = await svrgVariationalInference({ ...options, rate: constant(0.05), steps: 400, start: global });
    expect(run.global.topics.every((value) => value > 0)).toBe(true);
    const next = await cavi({ model: lda, data: fortyDocuments, start: run.global, maxSteps: 1, tolerance: 0 });
    next.global.topics.forEach((value, i) => {
      expect(Math.abs(value - run.global.topics[i])).toBeLessThan(0.05);
    });
  });

  it("keeps a trace of its snapshots, tells its progress, and gives the same numbers for the same key", async () => {
    const seen: number[] = [];
    const options = { model: mixture, data, batchSize: 30, rate: constant(0.2), steps: 7, innerSteps: 3, start, key };
    const run = await svrgVariationalInference({ ...options, onProgress: ({ step }) => void seen.push(step) });
    expect(seen).toEqual([0, 3, 6, 7]);
    expect(run.trace.map(({ passes }) => Math.round(3 * passes))).toEqual([3, 12, 21, 26]);
    const longer = { ...options, start: mixture.start(randomKey(6), points), steps: 40 };
    const once = (await svrgVariationalInference(longer)).global;
    expect((await svrgVariationalInference(longer)).global).toEqual(once);
    expect((await svrgVariationalInference({ ...longer, key: randomKey(2) })).global).not.toEqual(once);
  });

  it("refuses a local step with noise of its own, and says why", async () => {
    let draws = 0;
    const noisy: typeof mixture = {
      ...mixture,
      local: (global, batch) => {
        const { statistics, bound } = mixture.local(global, batch);
        return {
          statistics: { ...statistics, weights: statistics.weights.map((w) => w + 0.01 * (draws++ % 7)) },
          bound,
        };
      },
    };
    const options = { data, batchSize: 30, rate: constant(0.2), steps: 7, start, key };
    await expect(svrgVariationalInference({ ...options, model: noisy })).rejects.toThrow("draws noise of its own");
  });

  it("refuses bad options in a sentence, and stops when the cell is interrupted", async () => {
    const options = { model: mixture, data, batchSize: 30, rate: constant(0.2), steps: 7, start, key };
    await expect(svrgVariationalInference({ ...options, steps: 0.5 })).rejects.toThrow(
      "steps must be a positive integer",
    );
    await expect(svrgVariationalInference({ ...options, innerSteps: 0 })).rejects.toThrow(
      "innerSteps must be a positive",
    );
    await expect(svrgVariationalInference({ ...options, batchSize: 91 })).rejects.toThrow("from 1 to the 90 rows");
    await expect(svrgVariationalInference({ ...options, rate: constant(1.5) })).rejects.toThrow(
      "rate of step 0 must be in (0, 1]",
    );
    const wild = { ...options, batchSize: 1, rate: constant(1), steps: 400, innerSteps: 400 };
    await expect(svrgVariationalInference(wild)).rejects.toThrow("take a smaller rate or more data a step");
    await expect(naturalGradientError({ model: mixture, data, global: start, batchSize: 0 })).rejects.toThrow("not 0");
    (globalThis as Record<symbol, unknown>)[interrupt] = AbortSignal.abort();
    await expect(svrgVariationalInference(options)).rejects.toThrow("interrupted");
  });
});
