import { describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { gradientsOfHalves, minibatchEstimate } from "../../src/methods/minibatchEstimate.js";
import { naturalGradientNoise } from "../../src/methods/naturalGradientNoise.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { rowsDataset } from "../../src/models/conjugateModel.js";
import { adaptiveBatchSize, optimalBatchSize } from "../../src/optimize/adaptiveBatchSize.js";
import { combined, innerProduct } from "../../src/optimize/naturalGradient.js";
import { constant } from "../../src/optimize/schedules.js";
import { mixture, threeClusters } from "../methods/conjugate.js";

const few = threeClusters(3, 6);
const fewData = rowsDataset(few);
const fewStart = mixture.start(randomKey(4), few);

describe("optimalBatchSize", () => {
  it("gains most for each datum", () => {
    const moments = { squaredNorm: 3, variance: 200, total: 1000, rate: 0.3 };
    const gain = (S: number): number => (0.51 * 3 - 0.09 * 200 * (1 / S - 1 / 1000)) / S;
    const best = optimalBatchSize(moments);
    for (const other of [best - 1, best - 0.1, best + 0.1, best + 1]) expect(gain(other)).toBeLessThan(gain(best));
  });

  it("is all of the data where nothing but noise is left, and one datum without noise", () => {
    expect(optimalBatchSize({ squaredNorm: 0, variance: 5, total: 70, rate: 0.1 })).toBe(70);
    expect(optimalBatchSize({ squaredNorm: 2, variance: 0, total: 70, rate: 0.1 })).toBe(1);
    expect(optimalBatchSize({ squaredNorm: 0, variance: 0, total: 70, rate: 0.1 })).toBe(1);
  });
});

describe("adaptiveBatchSize", () => {
  it("estimates both moments without bias: over every pair of halves", async () => {
    const exact = await naturalGradientNoise({ model: mixture, data: fewData, global: fewStart });
    let [variance, squaredNorm, count] = [0, 0, 0];
    for (let i = 0; i < 6 ** 4; i++) {
      const rows = [i % 6, Math.floor(i / 6) % 6, Math.floor(i / 36) % 6, Math.floor(i / 216)];
      if (new Set(rows).size < 4) continue;
      const halves = [rows.slice(0, 2), rows.slice(2)].map((half) => ({ rows: Int32Array.from(half), weight: 6 / 4 }));
      const estimate = minibatchEstimate({ model: mixture, data: fewData, global: fewStart, rows: halves });
      const [a, b] = gradientsOfHalves(mixture, fewStart, estimate);
      const difference = combined(1, a, -1, b);
      const now = innerProduct(difference, difference); // S/4 = 1
      variance += now;
      squaredNorm += innerProduct(a, b) + now / 6;
      count++;
    }
    expect(count).toBe(360);
    expect(variance / count / exact.variance).toBeCloseTo(1, 10);
    expect(squaredNorm / count / exact.squaredNorm).toBeCloseTo(1, 10);
  });

  it("says the best size for what it was told, averaged, even and within its limits", () => {
    const of = (...values: number[]) => ({ eta: Float64Array.from(values) });
    const told = { size: 8, total: 1000, rate: 0.5 };
    const next = adaptiveBatchSize({ initial: 8, smoothing: 0 }).begin();
    // σ̂² = 8 · 40/4 = 80, ‖g‖² ≈ 4 − 9 + 12 + .08
    const gradients = [of(4, 3, 2), of(1, -3, 6)] as const;
    const variance = (8 * (9 + 36 + 16)) / 4;
    const best = optimalBatchSize({ squaredNorm: 4 - 9 + 12 + variance / 1000, variance, total: 1000, rate: 0.5 });
    expect(next({ gradients, ...told })).toBe(2 * Math.round(best / 2));
    // Of few data, σ̂²/N tells: 122/(1.5 · (7 + 122/30) + 61/30) = 6.5, but 9.7 without it.
    const small = adaptiveBatchSize({ initial: 8, smallest: 2, smoothing: 0 }).begin();
    expect(small({ gradients, ...told, total: 30 })).toBe(6);
    expect(next({ gradients: [of(9), of(9)], ...told })).toBe(8);
    expect(next({ gradients: [of(9), of(-9)], ...told })).toBe(1000);
    expect(next({ gradients: [of(9), of(-9)], ...told, total: 101 })).toBe(100);
    const capped = adaptiveBatchSize({ initial: 8, largest: 40, smallest: 4 }).begin();
    expect(capped({ gradients: [of(9), of(-9)], ...told })).toBe(40);
    const slow = adaptiveBatchSize({ initial: 2, smoothing: 0.5 }).begin();
    slow({ gradients: [of(30), of(-30)], ...told });
    const averaged = optimalBatchSize({
      squaredNorm: (-900 + 7200 / 1000 + 2 * 625) / 3,
      variance: 7200 / 3,
      total: 1000,
      rate: 0.5,
    });
    expect(averaged).toBeGreaterThan(13);
    expect(slow({ gradients: [of(25), of(25)], ...told })).toBe(2 * Math.round(averaged / 2));
  });

  it("lets the minibatch of a fit grow, and says how large it was", async () => {
    const points = threeClusters(1, 300);
    const { trace, global } = await stochasticVariationalInference({
      model: mixture,
      data: rowsDataset(points),
      batchSize: adaptiveBatchSize({ initial: 10 }),
      rate: constant(0.3),
      steps: 1000,
      maxSeen: 6000,
      start: mixture.start(randomKey(4), points),
      key: randomKey(2),
      traceEvery: 1,
    });
    expect(trace[0].size).toBe(10);
    expect(trace[trace.length - 1].size).toBeGreaterThan(100);
    expect(trace[trace.length - 1].seen).toBe(trace.reduce((sum, { size }) => sum + size, 0));
    expect(trace[trace.length - 1].seen).toBeLessThanOrEqual(6000);
    for (const { size } of trace) expect(size % 2).toBe(0);
    expect(mixture.local(global, points).bound - mixture.kl(global)).toBeGreaterThan(trace[0].bound);
  });

  it("refuses sizes that cannot be halved or are out of order", () => {
    expect(() => adaptiveBatchSize({ initial: 7 })).toThrow("initial must be an even number ≥ 2, not 7.");
    expect(() => adaptiveBatchSize({ initial: 8, smallest: 0 })).toThrow("smallest must be an even number ≥ 2, not 0.");
    expect(() => adaptiveBatchSize({ initial: 8, largest: 6 })).toThrow("not 8 between 8 and 6.");
    expect(() => adaptiveBatchSize({ initial: 8, smoothing: 1 })).toThrow("in [0, 1), not 1.");
  });
});
