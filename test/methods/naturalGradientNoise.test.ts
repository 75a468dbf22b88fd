import { describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { naturalGradientNoise } from "../../src/methods/naturalGradientNoise.js";
import { rowsDataset } from "../../src/models/conjugateModel.js";
import { innerProduct, naturalGradient } from "../../src/optimize/naturalGradient.js";
import { mixture, threeClusters } from "./conjugate.js";

const points = threeClusters(3, 7);
const data = rowsDataset(points);
const global = mixture.start(randomKey(4), threeClusters(8, 9));

describe("naturalGradientNoise", () => {
  it("is that of all minibatches of three, by enumeration", async () => {
    const exact = await naturalGradientNoise({ model: mixture, data, global });
    const gradientAt = (rows: readonly number[]): typeof global => {
      const { statistics } = mixture.local(global, data.take(Int32Array.from(rows)));
      return naturalGradient({ global, prior: mixture.prior, statistics, scale: 7 / rows.length });
    };
    const full = gradientAt([0, 1, 2, 3, 4, 5, 6]);
    expect(exact.squaredNorm / innerProduct(full, full)).toBeCloseTo(1, 12);
    let [square, count] = [0, 0];
    for (let a = 0; a < 7; a++) {
      for (let b = a + 1; b < 7; b++) {
        for (let c = b + 1; c < 7; c++) {
          const gradient = gradientAt([a, b, c]);
          square += innerProduct(gradient, gradient);
          count++;
        }
      }
    }
    const variance = square / count - exact.squaredNorm;
    expect((exact.variance * (1 / 3 - 1 / 7)) / variance).toBeCloseTo(1, 8);
  });

  it("needs two data", async () => {
    const one = { ...data, size: 1 };
    await expect(naturalGradientNoise({ model: mixture, data: one, global })).rejects.toThrow(
      "needs at least two data, not 1: one has no variance.",
    );
  });
});
