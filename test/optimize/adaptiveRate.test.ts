import { describe, expect, it } from "vitest";
import { foldIn, randomKey } from "../../src/engine/random.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { globalStep, rowsDataset } from "../../src/models/conjugateModel.js";
import { uniforms } from "../../src/models/randomStart.js";
import { adaptiveRate, optimalRate } from "../../src/optimize/adaptiveRate.js";
import { innerProduct, naturalGradient } from "../../src/optimize/naturalGradient.js";
import { mixture, threeClusters } from "../methods/conjugate.js";

const of = (...values: number[]) => ({ eta: Float64Array.from(values) });

describe("optimalRate", () => {
  it("brings q(θ) nearest to the full update, by enumeration of every minibatch", () => {
    const points = threeClusters(3, 6);
    const data = rowsDataset(points);
    const global = mixture.start(randomKey(4), threeClusters(8, 4));
    const update = (rows: Int32Array, scale: number, rate: number) => {
      const { statistics } = mixture.local(global, data.take(rows));
      return globalStep({ global, prior: mixture.prior, statistics, scale, rate });
    };
    const distance = (a: typeof global, b: typeof global): number => {
      const difference = naturalGradient({ global: b, prior: a, statistics: a, scale: 0 });
      return innerProduct(difference, difference);
    };
    const target = update(Int32Array.from([0, 1, 2, 3, 4, 5]), 1, 1);
    const pairs = [0, 1, 2, 3, 4, 5].flatMap((a) => [0, 1, 2, 3, 4, 5].slice(a + 1).map((b) => Int32Array.of(a, b)));
    const error = (rate: number): number =>
      pairs.reduce((sum, rows) => sum + distance(update(rows, 3, rate), target), 0) / pairs.length;
    const best = optimalRate({ squaredNorm: distance(target, global), variance: error(1) });
    expect(best).toBeGreaterThan(0.05);
    expect(best).toBeLessThan(0.95);
    expect(error(best)).toBeCloseTo(best * error(1), 8); // the least value of the parabola
    for (const other of [best - 0.01, best + 0.01]) expect(error(other)).toBeGreaterThan(error(best));
  });
});

describe("adaptiveRate", () => {
  it("follows its recursion, worked by hand", () => {
    const rate = adaptiveRate({ warmUp: 2 }).begin([of(1, 0), of(3, 2)]);
    // ḡ = (2, 1), h = 7, τ = 2; with (0, −3): ḡ = (1, −1), h = 8.
    expect(rate(of(0, -3))).toBeCloseTo(2 / 8, 14);
    // τ = 2 · 3/4 + 1 = 5/2; with (4, 1): ḡ = ⅗ (1, −1) + ⅖ (4, 1) = (2.2, −.2), h = ⅗ 8 + ⅖ 17 = 11.6.
    expect(rate(of(4, 1))).toBeCloseTo((2.2 ** 2 + 0.2 ** 2) / 11.6, 14);
  });

  it("begins with the mean of all of its warm-up", () => {
    // ḡ = (2, 2, 1), h = 49/3, τ = 3; with (2, −1, 1): ḡ = (2, 1, 1), h = 49/3 + (6 − 49/3)/3.
    const rate = adaptiveRate({ warmUp: 3 }).begin([of(1, 5, 1), of(3, 2, 0), of(2, -1, 2)]);
    expect(rate(of(2, -1, 1))).toBeCloseTo(6 / (49 / 3 - 31 / 9), 14);
  });

  it("steps all the way where gradients have no noise", () => {
    const rate = adaptiveRate().begin(Array.from({ length: 10 }, () => of(2, -1)));
    for (let t = 0; t < 5; t++) expect(rate(of(2, -1))).toBeCloseTo(1, 14);
    expect(adaptiveRate().begin([of(0), of(0)])(of(0))).toBe(1);
  });

  it("falls as φ/t where gradients are nothing but noise, with φ the golden ratio", () => {
    const noise = (t: number) => ({ eta: uniforms(foldIn(randomKey(3), t), 2000).map((u) => u - 0.5) });
    const rate = adaptiveRate().begin(Array.from({ length: 10 }, (_, i) => noise(1000 + i)));
    let last = 1;
    for (let t = 0; t < 800; t++) last = rate(noise(t));
    // ‖ḡ‖²/h has a standard deviation of about a share of √(2/2000).
    expect(Math.abs((last * 800) / ((1 + Math.sqrt(5)) / 2) - 1)).toBeLessThan(0.1);
  });

  it("fits a mixture without a schedule, counting the data of its warm-up, with the same numbers for the same key", async () => {
    const points = threeClusters(1, 90);
    const run = () =>
      stochasticVariationalInference({
        model: mixture,
        data: rowsDataset(points),
        batchSize: 10,
        rate: adaptiveRate({ warmUp: 5 }),
        steps: 400,
        start: mixture.start(randomKey(4), threeClusters(8, 9)),
        key: randomKey(2),
        traceEvery: 1,
      });
    const { global, trace } = await run();
    expect(trace[0].seen).toBe(60);
    expect(trace[0].rate).toBeGreaterThan(5 * trace[399].rate);
    const elbo = (at: typeof global): number => mixture.local(at, points).bound - mixture.kl(at);
    const full = await stochasticVariationalInference({
      model: mixture,
      data: rowsDataset(points),
      batchSize: 90,
      rate: () => 1,
      steps: 60,
      start: mixture.start(randomKey(4), threeClusters(8, 9)),
      key: randomKey(2),
    });
    // From 170 nats below: short steps come near, and then ever more slowly.
    expect(elbo(global)).toBeGreaterThan(elbo(full.global) - 5);
    expect((await run()).global).toEqual(global);
  });

  it("refuses to begin with one minibatch", () => {
    expect(() => adaptiveRate({ warmUp: 1 })).toThrow(
      "an integer ≥ 2, not 1: one minibatch tells nothing of the noise.",
    );
  });
});
