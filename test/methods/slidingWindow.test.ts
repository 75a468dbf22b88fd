import { describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { naturalGradientNoise } from "../../src/methods/naturalGradientNoise.js";
import { slidingWindow } from "../../src/methods/slidingWindow.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { rowsDataset } from "../../src/models/conjugateModel.js";
import { combined, innerProduct } from "../../src/optimize/naturalGradient.js";
import { constant } from "../../src/optimize/schedules.js";
import { mixture, threeClusters } from "./conjugate.js";

const few = threeClusters(3, 5);
const data = rowsDataset(few);
const everyPair = [0, 1, 2, 3].flatMap((a) => [1, 2, 3, 4].filter((b) => b > a).map((b) => Int32Array.of(a, b)));

describe("slidingWindow", () => {
  it("is the mean of the last L, or of as many as there were, each times its scale", () => {
    const average = slidingWindow<{ a: Float64Array }>(3);
    const given = [2, 0, 5, -1, 4, 0, 0, 7];
    given.forEach((value, t) => {
      const last = given.slice(Math.max(0, t - 2), t + 1);
      const mean = last.reduce((sum, v) => sum + 2 * v, 0) / last.length;
      expect(average({ a: Float64Array.of(value, 1) }, 2).a[0]).toBeCloseTo(mean, 13);
    });
    expect(average({ a: Float64Array.of(0, 1) }, 2).a[1]).toBeCloseTo(2, 13);
  });

  it("forgets the rounding of what left it, every L records", () => {
    const average = slidingWindow<{ a: Float64Array }>(2);
    const means = [1e17, 1, 1, 1].map((value) => average({ a: Float64Array.of(value) }, 1).a[0]);
    expect(means[3]).toBe(1);
  });

  it("has the bias of stale statistics and 1/L² of the sum of variances: over every pair of minibatches", async () => {
    const path = [mixture.start(randomKey(4), few)];
    path.push(
      (
        await stochasticVariationalInference({
          model: mixture,
          data,
          batchSize: 5,
          rate: constant(0.6),
          steps: 1,
          start: path[0],
          key: randomKey(1),
        })
      ).global,
    );
    const noise = await Promise.all(path.map((global) => naturalGradientNoise({ model: mixture, data, global })));
    const bias = combined(0.5, noise[0].statistics, -0.5, noise[1].statistics);
    const variance = ((noise[0].variance + noise[1].variance) * (1 / 2 - 1 / 5)) / 4;
    let [mean, square] = [combined(0, bias, 0, bias), 0];
    const n = everyPair.length ** 2;
    for (const first of everyPair) {
      for (const second of everyPair) {
        const average = slidingWindow<typeof bias>(2);
        average(mixture.local(path[0], data.take(first)).statistics, 5 / 2);
        const smooth = average(mixture.local(path[1], data.take(second)).statistics, 5 / 2);
        const error = combined(1, smooth, -1, noise[1].statistics);
        mean = combined(1, mean, 1 / n, error);
        square += innerProduct(error, error) / n;
      }
    }
    const off = combined(1, mean, -1, bias);
    expect(innerProduct(bias, bias)).toBeGreaterThan(0.01);
    expect(innerProduct(off, off)).toBeLessThan(1e-18);
    expect(square / (innerProduct(bias, bias) + variance)).toBeCloseTo(1, 10);
  });

  it("changes nothing where the statistics do not change: the exact posterior at once", async () => {
    const options = { model: mixture, data, batchSize: 5, rate: constant(1), start: mixture.start(randomKey(4), few) };
    const one = await stochasticVariationalInference({ ...options, steps: 1, key: randomKey(1), window: 4 });
    const plain = await stochasticVariationalInference({ ...options, steps: 1, key: randomKey(1) });
    expect(one.global).toEqual(plain.global);
    // At ρ = 1 with all data the second step of a window of 2 is prior + (s(γ_0) + s(γ_1))/2.
    const two = await stochasticVariationalInference({ ...options, steps: 2, key: randomKey(1), window: 2 });
    const s = [options.start, plain.global].map((global) => mixture.local(global, few).statistics);
    two.global.components.forEach((value, i) => {
      const expected = mixture.prior.components[i] + (s[0].components[i] + s[1].components[i]) / 2;
      expect(value).toBeCloseTo(expected, 12);
    });
  });

  it("quiets a run at a constant rate", async () => {
    const points = threeClusters(1, 90);
    const spread = async (window: number): Promise<number> => {
      const bounds: number[] = [];
      await stochasticVariationalInference({
        model: mixture,
        data: rowsDataset(points),
        batchSize: 10,
        rate: constant(0.2),
        steps: 400,
        start: mixture.start(randomKey(4), points),
        key: randomKey(2),
        window,
        traceEvery: 1,
        onProgress: (_, global) => void bounds.push(mixture.local(global, points).bound - mixture.kl(global)),
      });
      const last = bounds.slice(200);
      const mean = last.reduce((a, b) => a + b) / 200;
      return last.reduce((sum, b) => sum + (b - mean) ** 2, 0) / 200;
    };
    expect(await spread(8)).toBeLessThan(0.25 * (await spread(1)));
  });
});
