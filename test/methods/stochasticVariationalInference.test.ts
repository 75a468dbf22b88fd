import { afterEach, describe, expect, it, vi } from "vitest";
import { parseLdaC } from "../../src/data/ldaC.js";
import { randomKey } from "../../src/engine/random.js";
import { cavi } from "../../src/methods/cavi.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { globalStep, type Rows, rowsDataset } from "../../src/models/conjugateModel.js";
import { corpusDataset } from "../../src/models/corpusDataset.js";
import type { MixtureGlobal } from "../../src/models/gaussianMixture.js";
import { latentDirichletAllocation } from "../../src/models/latentDirichletAllocation.js";
import { adaptiveBatchSize } from "../../src/optimize/adaptiveBatchSize.js";
import type { AdaptiveRate } from "../../src/optimize/adaptiveRate.js";
import { combined, naturalGradient } from "../../src/optimize/naturalGradient.js";
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
const key = randomKey(11);
const start = mixture.start(randomKey(4), points);

describe("stochasticVariationalInference", () => {
  it("with S = N and ρ = 1 is CAVI, to the bit: a mixture", async () => {
    const steps = 7;
    const batch = await cavi({ model: mixture, data: points, start, tolerance: 0, maxSteps: steps });
    const svi = await stochasticVariationalInference({
      model: mixture,
      data,
      batchSize: 90,
      rate: constant(1),
      steps,
      start,
      key,
    });
    expect(svi.global).toEqual(batch.global);
    // Its bound is that of the parameters before each step.
    expect(svi.trace.map(({ bound }) => bound)).toEqual(batch.trace.slice(0, steps).map(({ bound }) => bound));
  });

  it("with S = N and ρ = 1 is CAVI that starts each document anew, to the bit: LDA", async () => {
    const corpus = parseLdaC(new TextEncoder().encode("2 0:3 1:1\n2 2:2 3:4\n3 0:1 1:1 3:2\n1 2:6"), "a");
    const model = latentDirichletAllocation({ topics: 3, vocabulary: 4, alpha: 0.3, eta: 0.4 });
    const from = model.start(randomKey(1));
    const batch = await cavi({ model, data: corpus, start: from, tolerance: 0, maxSteps: 6, warmStart: false });
    const svi = await stochasticVariationalInference({
      model,
      data: corpusDataset(corpus),
      batchSize: 4,
      rate: constant(1),
      steps: 6,
      start: from,
      key,
    });
    expect(svi.global).toEqual(batch.global);
  });

  it("steps by statistics and bounds that are unbiased: over every minibatch their average is the full one", () => {
    const few = threeClusters(3, 7);
    const dataset = rowsDataset(few);
    const full = mixture.local(start, few);
    const S = 3;
    const sums = { weights: new Float64Array(3), components: new Float64Array(full.statistics.components.length) };
    let [bound, batches] = [0, 0];
    for (let a = 0; a < 7; a++) {
      for (let b = a + 1; b < 7; b++) {
        for (let c = b + 1; c < 7; c++) {
          const local = mixture.local(start, dataset.take(Int32Array.of(a, b, c)));
          batches++;
          bound += (7 / S) * local.bound;
          for (const name of ["weights", "components"] as const) {
            local.statistics[name].forEach((value, i) => {
              sums[name][i] += (7 / S) * value;
            });
          }
        }
      }
    }
    expect(batches).toBe(35);
    expect(bound / batches).toBeCloseTo(full.bound, 10);
    for (const name of ["weights", "components"] as const) {
      sums[name].forEach((value, i) => {
        expect(value / batches).toBeCloseTo(full.statistics[name][i], 10);
      });
    }
  });

  it("comes close to CAVI's ELBO from small batches, with the same numbers for the same key", async () => {
    const options = {
      model: mixture,
      data,
      batchSize: 10,
      rate: robbinsMonro({ kappa: 0.7, tau: 5 }),
      steps: 600,
      start,
    };
    const svi = await stochasticVariationalInference({ ...options, key });
    const elbo = (global: typeof start): number => mixture.local(global, points).bound - mixture.kl(global);
    const optimum = (await cavi({ model: mixture, data: points, start })).bound;
    expect(elbo(svi.global)).toBeGreaterThan(optimum - 1);
    expect(elbo(start)).toBeLessThan(elbo(svi.global));
    expect((await stochasticVariationalInference({ ...options, key })).global).toEqual(svi.global);
    expect((await stochasticVariationalInference({ ...options, key: randomKey(12) })).global).not.toEqual(svi.global);
  });

  it("tells an adaptive rate of minibatches of its own at the start, and of the gradient of each step, averaged over the window", async () => {
    const first: MixtureGlobal[] = [];
    const told: MixtureGlobal[] = [];
    const rate = {
      name: "listening",
      warmUp: 3,
      begin: (given: readonly MixtureGlobal[]) => {
        first.push(...given);
        return (gradient: MixtureGlobal) => 0.5 ** told.push(gradient);
      },
    };
    // An adaptive rate takes any record.
    const { trace, global } = await stochasticVariationalInference<MixtureGlobal, Rows, never>({
      model: mixture,
      data,
      batchSize: 10,
      rate: rate as unknown as AdaptiveRate,
      steps: 4,
      start,
      key,
      window: 2,
      traceEvery: 1,
    });
    expect(trace.map(({ rate: rho }) => rho)).toEqual([1 / 2, 1 / 4, 1 / 8, 1 / 16]);
    expect(trace[3].seen).toBe(70);
    const rowsAt = shuffledRows(key, 90, 10);
    const statistics = [0, 1, 2, 3].map((step) => data.take(rowsAt(step)));
    let at = start;
    let before: MixtureGlobal | undefined;
    for (const [step, batch] of statistics.entries()) {
      const now = mixture.local(at, batch).statistics;
      const mean = before ? combined(0.5, before, 0.5, now) : now;
      const gradient = naturalGradient({ global: at, prior: mixture.prior, statistics: mean, scale: 9 });
      gradient.components.forEach((value, i) => {
        expect(told[step].components[i]).toBeCloseTo(value, 8);
      });
      at = globalStep({ global: at, prior: mixture.prior, statistics: mean, scale: 9, rate: 0.5 ** (step + 1) });
      before = now;
    }
    global.components.forEach((value, i) => {
      expect(value).toBeCloseTo(at.components[i], 8);
    });
    // At the start all are gradients of minibatches that differ from each other, and from those of the steps.
    const heard = [...first, told[0]].map((gradient) => gradient.components[0].toFixed(9));
    expect(new Set(heard).size).toBe(4);
  });

  it("averages over a window each minibatch times its own N/S, where sizes change", async () => {
    const sizes = [10, 30, 6];
    const batchSize = {
      name: "given",
      initial: 10,
      begin:
        () =>
        ({ size }: { size: number }) =>
          sizes[sizes.indexOf(size) + 1] ?? 6,
    };
    const options = { model: mixture, data, batchSize, rate: constant(1), start, key };
    const two = await stochasticVariationalInference({ ...options, steps: 2, window: 2 });
    const one = await stochasticVariationalInference({ ...options, steps: 1 });
    // Without local variables' share: the weights count data, N in every estimate.
    expect(two.global.weights.reduce((a, b) => a + b)).toBeCloseTo(90 + 3, 9);
    expect(one.global.weights.reduce((a, b) => a + b)).toBeCloseTo(90 + 3, 9);
  });

  it("keeps a trace and tells its progress", async () => {
    const seen: number[] = [];
    const { trace } = await stochasticVariationalInference({
      model: mixture,
      data,
      batchSize: 30,
      rate: robbinsMonro({ kappa: 1, tau: 1 }),
      steps: 10,
      start,
      key,
      traceEvery: 4,
      onProgress: ({ step }) => void seen.push(step),
    });
    expect(trace.map(({ step, seen: documents }) => [step, documents])).toEqual([
      [4, 120],
      [8, 240],
      [10, 300],
    ]);
    expect(trace.map(({ rate }) => rate)).toEqual([1 / 5, 1 / 9, 1 / 11]);
    expect(seen).toEqual([4, 8, 10]);
  });

  it("keeps the trace where it is told to, and counts no seconds for it", async () => {
    let clock = 0;
    const now = vi.spyOn(performance, "now").mockImplementation(() => clock);
    const { trace } = await stochasticVariationalInference({
      model: mixture,
      data,
      batchSize: 30,
      rate: constant(0.1),
      steps: 7,
      start,
      key,
      traceEvery: (step) => step === 1 || step === 5,
      onProgress: () => {
        clock += 1000;
      },
    });
    now.mockRestore();
    expect(trace.map(({ step, seconds }) => [step, seconds])).toEqual([
      [1, 0],
      [5, 0],
      [7, 0],
    ]);
  });

  it("can be interrupted", async () => {
    const controller = new AbortController();
    (globalThis as Record<symbol, unknown>)[interrupt] = controller.signal;
    const run = stochasticVariationalInference({
      model: mixture,
      data,
      batchSize: 10,
      rate: constant(0.1),
      steps: 1e6,
      start,
      key,
      traceEvery: 2,
      onProgress: () => controller.abort(),
    });
    await expect(run).rejects.toMatchObject({ name: "KeyboardInterrupt" });
  });

  it("refuses settings out of range", async () => {
    const options = { model: mixture, data, batchSize: 10, rate: constant(0.5), steps: 5, start, key };
    const run = (changed: Partial<Parameters<typeof stochasticVariationalInference<MixtureGlobal, Rows, never>>[0]>) =>
      stochasticVariationalInference({ ...options, ...changed });
    await expect(run({ rate: (t) => 2 - t })).rejects.toThrow("the rate of step 0 must be in (0, 1], not 2.");
    await expect(run({ rate: (t) => 1 - t })).rejects.toThrow("the rate of step 1 must be in (0, 1], not 0.");
    await expect(run({ steps: 0 })).rejects.toThrow("steps must be a positive integer, not 0.");
    await expect(run({ window: 1.5 })).rejects.toThrow("window must be a positive integer, not 1.5.");
    await expect(run({ maxSeen: 9 })).rejects.toThrow("maxSeen is 9, but the first step ends with 10 data seen.");
    await expect(run({ probabilities: new Float64Array(3) })).rejects.toThrow("for each of the 90 data, not 3.");
    const even = new Float64Array(90).fill(1 / 90);
    await expect(run({ probabilities: even, batchSize: adaptiveBatchSize({ initial: 4 }) })).rejects.toThrow(
      "an adaptive batch size is derived for data drawn alike; give it without probabilities.",
    );
    await expect(run({ batchSize: adaptiveBatchSize({ initial: 92 }) })).rejects.toThrow("not 92.");
    await expect(run({ batchSize: 91 })).rejects.toThrow("an integer from 1 to the 90 rows of the data, not 91.");
  });
});
