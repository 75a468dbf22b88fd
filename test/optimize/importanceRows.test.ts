import { describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { minibatchEstimate } from "../../src/methods/minibatchEstimate.js";
import { naturalGradientNoise } from "../../src/methods/naturalGradientNoise.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { rowsDataset } from "../../src/models/conjugateModel.js";
import { importanceRows, weightedRows } from "../../src/optimize/importanceRows.js";
import { combined, innerProduct } from "../../src/optimize/naturalGradient.js";
import { robbinsMonro } from "../../src/optimize/robbinsMonro.js";
import { mixture, threeClusters } from "../methods/conjugate.js";

const few = threeClusters(3, 5);
const data = rowsDataset(few);
const global = mixture.start(randomKey(4), few);
const probabilities = Float64Array.of(0.4, 0.1, 0.25, 0.1, 0.15);

describe("importanceRows", () => {
  it("has weights that make statistics and bound unbiased, with the variance it states: over every minibatch", async () => {
    const full = mixture.local(global, few);
    const S = 3;
    let [mean, bound, variance, mass] = [undefined as typeof full.statistics | undefined, 0, 0, 0];
    for (let i = 0; i < 5 ** S; i++) {
      const drawn = Int32Array.of(i % 5, Math.floor(i / 5) % 5, Math.floor(i / 25));
      const chance = drawn.reduce((product, row) => product * probabilities[row], 1);
      const estimate = minibatchEstimate({ model: mixture, data, global, rows: weightedRows(drawn, probabilities) });
      const error = combined(estimate.scale, estimate.statistics, -1, full.statistics);
      mass += chance;
      bound += chance * estimate.bound;
      variance += chance * innerProduct(error, error);
      mean = mean ? combined(1, mean, chance, error) : combined(chance, error, 0, error);
    }
    expect(mass).toBeCloseTo(1, 12);
    expect(bound).toBeCloseTo(full.bound, 10);
    for (const values of Object.values(mean!)) for (const value of values) expect(value).toBeCloseTo(0, 10);
    const { varianceUnder, norms } = await naturalGradientNoise({ model: mixture, data, global });
    expect((S * variance) / varianceUnder(probabilities)).toBeCloseTo(1, 10);
    const total = norms.reduce((a, b) => a + b);
    const best = norms.map((norm) => norm / total);
    expect(varianceUnder(best)).toBeLessThan(varianceUnder(new Float64Array(5).fill(0.2)));
    for (const i of [1, 2, 3, 4]) {
      const other = Float64Array.from(best);
      other[0] += 0.01;
      other[i] -= 0.01;
      expect(varianceUnder(other)).toBeGreaterThan(varianceUnder(best));
    }
    expect(() => varianceUnder(new Float64Array(4))).toThrow("a probability for each of the 5 data, not 4.");
  });

  it("draws each row with its probability, rows of equal weight together", () => {
    const rowsAt = importanceRows(randomKey(1), probabilities, 4);
    const times = new Array(5).fill(0);
    const draws = 4 * 3000;
    for (let step = 0; step < 3000; step++) {
      const parts = rowsAt(step);
      expect(new Set(parts.map(({ weight }) => weight)).size).toBe(parts.length);
      for (const { rows, weight } of parts) {
        expect(rows).toEqual(Int32Array.from(rows).sort());
        for (const row of rows) {
          times[row]++;
          expect(weight).toBe(1 / (4 * probabilities[row]));
        }
      }
    }
    times.forEach((count, row) => {
      const p = probabilities[row];
      expect(Math.abs(count - draws * p)).toBeLessThan(4 * Math.sqrt(draws * p * (1 - p)));
    });
    expect(rowsAt(7)).toEqual(importanceRows(randomKey(1), probabilities, 4)(7));
  });

  it("fits a mixture", async () => {
    const points = threeClusters(1, 90);
    const start = mixture.start(randomKey(4), points);
    const norms = (await naturalGradientNoise({ model: mixture, data: rowsDataset(points), global: start })).norms;
    const total = norms.reduce((a, b) => a + b);
    const options = {
      model: mixture,
      data: rowsDataset(points),
      batchSize: 10,
      rate: robbinsMonro({ kappa: 0.7, tau: 5 }),
      start,
      key: randomKey(2),
    };
    const elbo = (at: typeof start): number => mixture.local(at, points).bound - mixture.kl(at);
    const uniform = await stochasticVariationalInference({ ...options, steps: 600 });
    const weighted = await stochasticVariationalInference({
      ...options,
      steps: 600,
      probabilities: norms.map((norm) => norm / total),
    });
    expect(Math.abs(elbo(weighted.global) - elbo(uniform.global))).toBeLessThan(1);
  });

  it("refuses probabilities that are none", () => {
    const of =
      (...p: number[]) =>
      () =>
        importanceRows(randomKey(1), Float64Array.from(p), 2);
    expect(of(0.5, 0.5, 0)).toThrow("a probability in (0, 1], but that of row 2 is 0.");
    expect(of(0.5, Number.NaN)).toThrow("that of row 1 is NaN.");
    expect(of(0.5, 0.4)).toThrow("add up to 0.9, not to 1; divide them by their sum.");
    expect(() => importanceRows(randomKey(1), probabilities, 0)).toThrow("a positive integer, not 0.");
  });
});
