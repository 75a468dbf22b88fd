import { afterEach, describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { cavi } from "../../src/methods/cavi.js";
import { sagaVariationalInference } from "../../src/methods/sagaVariationalInference.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { rowsDataset } from "../../src/models/conjugateModel.js";
import { corpusDataset } from "../../src/models/corpusDataset.js";
import { gaussianMean } from "../../src/models/gaussianMean.js";
import type { MixtureGlobal } from "../../src/models/gaussianMixture.js";
import { latentDirichletAllocation } from "../../src/models/latentDirichletAllocation.js";
import { sampledRows } from "../../src/optimize/sampledRows.js";
import { constant } from "../../src/optimize/schedules.js";
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
const distance = (a: readonly number[], b: readonly number[]): number => Math.hypot(...a.map((x, i) => x - b[i]));

describe("sagaVariationalInference", () => {
  it("with one batch and ρ = 1 is CAVI", async () => {
    const batch = await cavi({ model: mixture, data: points, start, tolerance: 0, maxSteps: 6 });
    const options = { model: mixture, data, batchSize: 90, rate: constant(1), steps: 6, start, key };
    const run = await sagaVariationalInference(options);
    const expected = flat(batch.global);
    flat(run.global).forEach((value, i) => {
      expect(Math.abs(value - expected[i])).toBeLessThan(1e-12 * (1 + Math.abs(expected[i])));
    });
    expect(run.bound).toBeCloseTo(batch.bound, 10);
    for (const { gradientError } of run.trace) expect(gradientError).toBe(0);
  });

  it("steps by statistics that are unbiased, with the error it reports: over every batch, the table as it stands", async () => {
    // Seven data in three batches, which are not of one size.
    const few = threeClusters(3, 7);
    const set = rowsDataset(few);
    const rho = 0.1;
    const options = { model: mixture, data: set, batchSize: 3, rate: constant(rho), start, key, traceEvery: 1 };
    const batchesOf = (await sagaVariationalInference({ ...options, steps: 1 })).batches;
    const B = batchesOf.length;
    expect(B).toBe(3);
    const statisticsOf = (global: MixtureGlobal, b: number): number[] =>
      flat(mixture.local(global, set.take(batchesOf[b])).statistics as MixtureGlobal);
    // SAGA as it is written, with an explicit table.
    const drawn = sampledRows(key, B, 1);
    const table = Array.from({ length: B }, (_, b) => statisticsOf(start, b));
    const prior = flat(mixture.prior);
    let global = start;
    for (let step = 0; step < 6; step++) {
      const estimate = (b: number): number[] => {
        const here = statisticsOf(global, b);
        return here.map((value, i) => B * (value - table[b][i]) + table.reduce((sum, row) => sum + row[i], 0));
      };
      const exact = flat(mixture.local(global, few).statistics as MixtureGlobal);
      const all = [0, 1, 2].map(estimate);
      exact.forEach((value, i) => {
        const mean = all.reduce((sum, row) => sum + row[i] / B, 0);
        expect(Math.abs(mean - value)).toBeLessThan(1e-12 * (1 + Math.abs(value)));
      });
      const error = all.reduce((sum, row) => sum + distance(row, exact) ** 2 / B, 0);
      const run = await sagaVariationalInference({ ...options, steps: step + 1 });
      expect(Math.abs(run.trace[step].gradientError - error)).toBeLessThan(1e-11 * (1e-10 + error));
      const [b] = drawn(step);
      const along = estimate(b);
      table[b] = statisticsOf(global, b);
      const next = flat(global).map((value, i) => (1 - rho) * value + rho * (prior[i] + along[i]));
      flat(run.global).forEach((value, i) => {
        expect(Math.abs(value - next[i])).toBeLessThan(1e-12 * (1 + Math.abs(value)));
      });
      run.statistics.forEach((part, at) => {
        flat(part).forEach((value, i) => {
          expect(Math.abs(value - table[at][i])).toBeLessThan(1e-12 * (1 + Math.abs(value)));
        });
      });
      global = run.global;
    }
  });

  it("comes to CAVI's optimum with a constant rate, its error to zero, where SVI's does not", async () => {
    const optimum = await cavi({ model: mixture, data: points, start, tolerance: 0, maxSteps: 300 });
    const common = { model: mixture, data, batchSize: 10, rate: constant(0.1), steps: 900, start, key };
    const run = await sagaVariationalInference(common);
    const svi = await stochasticVariationalInference(common);
    const elbo = (global: MixtureGlobal): number => mixture.local(global, points).bound - mixture.kl(global);
    expect(Math.abs(optimum.bound - run.bound)).toBeLessThan(1e-11);
    expect(optimum.bound - elbo(svi.global)).toBeGreaterThan(0.1);
    const errors = run.trace.map(({ gradientError }) => gradientError);
    expect(Math.max(...errors)).toBeGreaterThan(1);
    expect(errors[errors.length - 1]).toBeLessThan(1e-30);
    expect(distance(flat(run.global), flat(optimum.global))).toBeLessThan(1e-11);
    expect(run.trace[run.trace.length - 1].passes).toBeCloseTo(101, 10);
  });

  it("falls to the posterior by 1 − ρ a step, to rounding, where there are no local variables", async () => {
    const normal = gaussianMean({
      prior: { mean: Float64Array.of(1, -1), precision: Float64Array.of(2, 0.5, 0.5, 1) },
      noiseVariance: 0.7,
    });
    const posterior = (await cavi({ model: normal, data: points, start: normal.prior, maxSteps: 1 })).global.mean;
    const off = normal.prior.mean.map((value, i) => value - posterior[i]);
    const seen: number[] = [];
    await sagaVariationalInference({
      model: normal,
      data,
      batchSize: 1,
      rate: constant(0.05),
      steps: 200,
      start: normal.prior,
      key,
      traceEvery: 20,
      onProgress: ({ step, gradientError }, { mean }) => {
        seen.push(step);
        expect(gradientError).toBe(0);
        mean.forEach((value, i) => {
          expect(Math.abs(value - posterior[i] - 0.95 ** step * off[i])).toBeLessThan(
            1e-12 * (1 + Math.abs(posterior[i])),
          );
        });
      },
    });
    expect(seen).toEqual(Array.from({ length: 11 }, (_, i) => 20 * i));
  });

  it("near the optimum comes nearer by the same factor in every pass, that of damped CAVI: (1 − ρ)^B where CAVI's own is 0", async () => {
    const distances: number[] = [];
    const optimum = (await cavi({ model: mixture, data: points, start, tolerance: 0, maxSteps: 300 })).global;
    const note = (_: unknown, global: MixtureGlobal): void =>
      void distances.push(distance(flat(global), flat(optimum)));
    await cavi({ model: mixture, data: points, start, tolerance: 0, maxSteps: 30, onProgress: note });
    const near = distances.filter((d) => d > 1e-9);
    expect(near[near.length - 1] / near[near.length - 2]).toBeLessThan(1e-3);
    for (const seed of [11, 12]) {
      distances.length = 0;
      await sagaVariationalInference({
        model: mixture,
        data,
        batchSize: 10,
        rate: constant(0.1),
        steps: 400,
        start,
        key: randomKey(seed),
        traceEvery: 9,
        onProgress: note,
      });
      const from = distances.findIndex((d) => d < 1e-3);
      const factors = distances.slice(from, from + 12).map((d, i) => d / distances[from + i - 1]);
      expect(factors.length).toBe(12);
      for (const factor of factors.slice(1)) expect(Math.abs(factor / 0.9 ** 9 - 1)).toBeLessThan(0.03);
    }
  });

  it("with ρ = 1/B keeps γ by prior + Σ a, nearer by 1 − ρ a step whatever is drawn, and so stays among λ > 0", async () => {
    const lda = latentDirichletAllocation({ topics: 5, vocabulary: 25, alpha: 0.2, eta: 0.05 });
    const documents = corpusDataset(fortyDocuments);
    for (const batchSize of [1, 4]) {
      const rho = batchSize / 40;
      const options = { model: lda, data: documents, batchSize, key };
      const begun = lda.start(randomKey(1));
      const { global } = await cavi({ model: lda, data: fortyDocuments, start: begun, tolerance: 0, maxSteps: 1 });
      const gap = ({ topics }: typeof global, statistics: readonly (typeof global)[]): Float64Array =>
        topics.map((value, i) => value - 0.05 - statistics.reduce((sum, part) => sum + part.topics[i], 0));
      const short = await sagaVariationalInference({ ...options, rate: constant(rho), steps: 1, start: global });
      const run = await sagaVariationalInference({ ...options, rate: constant(rho), steps: 60, start: global });
      const [first, last] = [gap(short.global, short.statistics), gap(run.global, run.statistics)];
      expect(Math.hypot(...first)).toBeGreaterThan(1);
      last.forEach((value, i) => {
        expect(Math.abs(value - (1 - rho) ** 59 * first[i])).toBeLessThan(1e-11);
      });
      expect(run.global.topics.every((value) => value > 0)).toBe(true);
      // From topics at random, at a rate usual for SVI, it does not.
      const usual = sagaVariationalInference({ ...options, rate: constant(0.2), steps: 100, start: begun });
      await expect(usual).rejects.toThrow(
        /q\(θ\) is outside its natural parameters \(.*every λ must be positive.*smaller rate/,
      );
    }
  });

  it("gives the same numbers for the same key, and tells its progress", async () => {
    const seen: number[] = [];
    const options = { model: mixture, data, batchSize: 30, rate: constant(0.2), steps: 7, start, key };
    const once = await sagaVariationalInference({
      ...options,
      traceEvery: 3,
      onProgress: ({ step }) => void seen.push(step),
    });
    expect(seen).toEqual([0, 3, 6, 7]);
    expect(once.trace.map(({ passes }) => Math.round(3 * passes))).toEqual([3, 6, 9, 10]);
    expect((await sagaVariationalInference(options)).global).toEqual(once.global);
    expect((await sagaVariationalInference({ ...options, key: randomKey(2) })).global).not.toEqual(once.global);
  });

  it("refuses a local step with noise of its own, and says why", async () => {
    let draws = 0;
    const noisy: typeof mixture = {
      ...mixture,
      local: (global, batch) => {
        const { statistics, bound } = mixture.local(global, batch);
        const weights = statistics.weights.map((w) => w + 0.01 * (draws++ % 7));
        return { statistics: { ...statistics, weights }, bound };
      },
    };
    const options = { data, batchSize: 30, rate: constant(0.2), steps: 7, start, key };
    await expect(sagaVariationalInference({ ...options, model: noisy })).rejects.toThrow("draws noise of its own");
  });

  it("refuses bad options in a sentence, and stops when the cell is interrupted", async () => {
    const options = { model: mixture, data, batchSize: 30, rate: constant(0.2), steps: 7, start, key };
    await expect(sagaVariationalInference({ ...options, steps: 0.5 })).rejects.toThrow(
      "steps must be a positive integer",
    );
    await expect(sagaVariationalInference({ ...options, traceEvery: 0 })).rejects.toThrow(
      "traceEvery must be a positive",
    );
    await expect(sagaVariationalInference({ ...options, batchSize: 91 })).rejects.toThrow(
      "sagaVariationalInference: batchSize must be an integer from 1 to the 90 data, not 91.",
    );
    await expect(sagaVariationalInference({ ...options, rate: constant(1.5) })).rejects.toThrow(
      "rate of step 0 must be in (0, 1]",
    );
    const wild = { ...options, batchSize: 1, rate: constant(1), steps: 400 };
    await expect(sagaVariationalInference(wild)).rejects.toThrow("take a smaller rate or more data a step");
    // One table would do, but not two.
    const long = { ...start, weights: new Float64Array(2 ** 20) };
    expect(90 * (2 ** 20 + start.components.length)).toBeLessThan(2 ** 27);
    await expect(sagaVariationalInference({ ...options, start: long, batchSize: 1 })).rejects.toThrow(
      /^sagaVariationalInference: 2 tables of the statistics of 90 batches would have \d+ numbers, more than 134217728; take larger batches, or svrgVariationalInference/,
    );
    // What no local step sees, the KL may: then there is no ELBO.
    const blind = { ...mixture, kl: () => Number.NaN };
    await expect(sagaVariationalInference({ ...options, model: blind })).rejects.toThrow(
      "sagaVariationalInference: after 0 steps: the bound is NaN",
    );
    (globalThis as Record<symbol, unknown>)[interrupt] = AbortSignal.abort();
    await expect(sagaVariationalInference(options)).rejects.toThrow("interrupted");
  });
});
