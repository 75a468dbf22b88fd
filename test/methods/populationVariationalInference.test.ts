import { afterEach, describe, expect, it } from "vitest";
import { foldIn, randomKey } from "../../src/engine/random.js";
import { populationVariationalInference } from "../../src/methods/populationVariationalInference.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { streaming } from "../../src/methods/streaming.js";
import { type Rows, rowsDataset, rowsOf } from "../../src/models/conjugateModel.js";
import { gaussianMean } from "../../src/models/gaussianMean.js";
import { uniforms } from "../../src/models/randomStart.js";
import { robbinsMonro } from "../../src/optimize/robbinsMonro.js";
import { constant } from "../../src/optimize/schedules.js";
import { shuffledRows } from "../../src/optimize/shuffledRows.js";
import { mixture, threeClusters } from "./conjugate.js";

const interrupt = Symbol.for("marginalia.interrupt");
afterEach(() => {
  delete (globalThis as Record<symbol, unknown>)[interrupt];
});

const points = threeClusters(1, 90);
const data = rowsDataset(points);
const start = mixture.start(randomKey(4), points);
const key = randomKey(11);

const line = gaussianMean({
  prior: { mean: Float64Array.of(0.5), precision: Float64Array.of(2) },
  noiseVariance: 0.25,
});
const batchesOf = (count: number, size: number): Rows[] =>
  Array.from({ length: count }, (_, t) => rowsOf(uniforms(foldIn(key, t), size), 1));

describe("populationVariationalInference", () => {
  it("is SVI, to the bit, where the stream is reshuffled passes through the data and M = N", async () => {
    let closed = false;
    async function* passes(): AsyncGenerator<Rows> {
      const rowsAt = shuffledRows(key, 90, 20);
      try {
        for (let step = 0; ; step++) yield data.take(rowsAt(step));
      } finally {
        closed = true;
      }
    }
    const rate = robbinsMonro({ kappa: 0.7, tau: 2 });
    const svi = await stochasticVariationalInference({
      model: mixture,
      data,
      batchSize: 20,
      rate,
      steps: 30,
      start,
      key,
      traceEvery: 7,
    });
    const population = await populationVariationalInference({
      model: mixture,
      batches: passes(),
      population: 90,
      rate,
      start,
      steps: 30,
      traceEvery: 7,
    });
    expect(population.global).toEqual(svi.global);
    const columns = ({ seen, rate: rho, bound }: { seen: number; rate: number; bound: number }) => [seen, rho, bound];
    expect(population.trace.map(columns)).toEqual(svi.trace.map(columns));
    expect(population.trace.map(({ batch }) => batch)).toEqual([7, 14, 21, 28, 30]);
    expect(closed).toBe(true);
  });

  it("keeps the variance of M data's posterior, however many were seen, whatever their batches' sizes", async () => {
    const population = 12;
    for (const count of [1, 5, 200]) {
      const batches = batchesOf(count, 1).map((_, t) => batchesOf(1, 1 + (t % 4))[0]);
      const { global } = await populationVariationalInference({
        model: line,
        batches,
        population,
        rate: (t) => (t === 0 ? 1 : 0.3),
        start: line.prior,
      });
      expect(line.parameters(global).precision[0]).toBeCloseTo(2 + population / 0.25, 10);
    }
    // From the prior at a constant rate it comes to that as 1 − (1 − ρ)^t.
    const { global } = await populationVariationalInference({
      model: line,
      batches: batchesOf(5, 3),
      population,
      rate: constant(0.3),
      start: line.prior,
    });
    expect(line.parameters(global).precision[0]).toBeCloseTo(2 + (population / 0.25) * (1 - 0.7 ** 5), 10);
  });

  it("with ρ_t = 1/t has M times the mean statistics of all it saw", async () => {
    const batches = batchesOf(7, 4);
    const { global } = await populationVariationalInference({
      model: line,
      batches,
      population: 12,
      rate: robbinsMonro({ kappa: 1, tau: 0 }),
      start: line.prior,
    });
    const mean = batches.reduce((sum, { values }) => sum + values.reduce((a, b) => a + b) / 4, 0) / 7;
    expect(global.mean[0]).toBeCloseTo(1 + (12 * mean) / 0.25, 10);
  });

  it("from the prior, with M = S/ρ, is streaming that forgets with one update a batch: a mixture", async () => {
    const batches = [0, 1, 2, 3].map((seed) => threeClusters(seed, 15));
    const updates = { model: mixture, batches, start: mixture.prior };
    const population = await populationVariationalInference({ ...updates, population: 15 / 0.2, rate: constant(0.2) });
    const forgetful = await streaming({ ...updates, forgetting: 0.8, maxSteps: 1 });
    for (const name of ["weights", "components"] as const) {
      population.global[name].forEach((value, i) => {
        expect(value / forgetful.global[name][i]).toBeCloseTo(1, 12);
      });
    }
  });

  it("is the Kalman filter of a random walk in its steady state: ρ its gain, M = σ²/P with P its variance before a datum's batch", async () => {
    // μ_t = μ_{t−1} + N(0, q), S data N(μ_t, σ²) a step; P = q + P r/(P + r) with r = σ²/S.
    const [q, variance, size] = [0.02, 0.25, 4];
    const r = variance / size;
    const steady = (q + Math.sqrt(q * q + 4 * q * r)) / 2;
    const gain = steady / (steady + r);
    const flat = gaussianMean({
      prior: { mean: Float64Array.of(0), precision: Float64Array.of(1e-9) },
      noiseVariance: variance,
    });
    const before = (mean: number) => ({ mean: Float64Array.of(mean / steady, -1 / (2 * steady)) });
    let [mean, P] = [0.4, steady];
    const filtered: number[] = [];
    const batches = batchesOf(25, size);
    for (const { values } of batches) {
      const K = P / (P + r);
      mean += K * (values.reduce((a, b) => a + b) / size - mean);
      P = (1 - K) * P + q;
      filtered.push(mean);
    }
    expect(P).toBeCloseTo(steady, 12);
    const means: number[] = [];
    const { global } = await populationVariationalInference({
      model: flat,
      batches,
      population: variance / steady,
      rate: constant(gain),
      start: before(0.4),
      onProgress: (_, now) => void means.push(flat.parameters(now).mean[0]),
    });
    means.forEach((value, t) => {
      expect(value).toBeCloseTo(filtered[t], 7);
    });
    expect(1 / flat.parameters(global).precision[0]).toBeCloseTo(steady, 7);
  });

  it("can be interrupted, on an endless stream", async () => {
    const controller = new AbortController();
    (globalThis as Record<symbol, unknown>)[interrupt] = controller.signal;
    function* forever(): Generator<Rows> {
      for (;;) yield points;
    }
    const run = populationVariationalInference({
      model: mixture,
      batches: forever(),
      population: 90,
      rate: constant(0.1),
      start,
      onProgress: () => controller.abort(),
    });
    await expect(run).rejects.toMatchObject({ name: "KeyboardInterrupt" });
  });

  it("refuses settings and batches out of range", async () => {
    const options = { model: line, batches: batchesOf(3, 2), population: 5, rate: constant(0.5), start: line.prior };
    const run = (changed: Partial<typeof options> & { steps?: number; traceEvery?: number }) =>
      populationVariationalInference({ ...options, ...changed });
    for (const population of [0, -1, Infinity, Number.NaN]) {
      await expect(run({ population })).rejects.toThrow(
        `the population must be a positive, finite number of data, not ${population}.`,
      );
    }
    await expect(run({ steps: 0 })).rejects.toThrow("steps must be a positive integer, not 0.");
    await expect(run({ steps: 1.5 })).rejects.toThrow("steps must be a positive integer, not 1.5.");
    await expect(run({ traceEvery: Infinity })).rejects.toThrow("traceEvery must be a positive integer, not Infinity.");
    await expect(run({ rate: (t) => 1 - t })).rejects.toThrow("the rate of batch 2 must be in (0, 1], not 0.");
    await expect(run({ rate: () => 1.1 })).rejects.toThrow("the rate of batch 1 must be in (0, 1], not 1.1.");
    await expect(run({ batches: [] })).rejects.toThrow("the stream has no batches; give it at least one.");
    const empty = { values: new Float64Array(0), size: 0, columns: 1 };
    await expect(run({ batches: [...batchesOf(1, 2), empty] })).rejects.toThrow(
      "batch 2 has a size of 0; leave out batches without data.",
    );
    const bad = { values: Float64Array.of(Number.NaN), size: 1, columns: 1 };
    await expect(run({ batches: [bad] })).rejects.toThrow(/batch 1: natural parameter 0 of "mean" is NaN/);
    await expect(run({ start: { mean: Float64Array.of(Number.NaN, -1) } })).rejects.toThrow("the start");
  });
});
