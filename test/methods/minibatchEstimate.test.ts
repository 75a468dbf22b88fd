import { describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { gradientsOfHalves, minibatchEstimate, rowsOfSteps } from "../../src/methods/minibatchEstimate.js";
import { rowsDataset } from "../../src/models/conjugateModel.js";
import { combined, innerProduct, naturalGradient } from "../../src/optimize/naturalGradient.js";
import { shuffledRows } from "../../src/optimize/shuffledRows.js";
import { mixture, threeClusters } from "./conjugate.js";

const key = randomKey(3);
const points = threeClusters(3, 8);
const data = rowsDataset(points);
const global = mixture.start(randomKey(4), points);
const of = (...rows: number[]): Int32Array => Int32Array.from(rows);

describe("minibatchEstimate", () => {
  it("is the sum of its parts' statistics and bounds, each times its weight", () => {
    const rows = [
      { rows: of(0, 3), weight: 2.5 },
      { rows: of(5), weight: 0.5 },
      { rows: of(1, 2, 7), weight: 4 },
    ];
    const estimate = minibatchEstimate({ model: mixture, data, global, rows });
    const locals = rows.map((part) => mixture.local(global, data.take(part.rows)));
    expect(estimate.bound).toBeCloseTo(
      locals.reduce((sum, { bound }, i) => sum + rows[i].weight * bound, 0),
      10,
    );
    estimate.statistics.components.forEach((value, at) => {
      const sum = locals.reduce((total, { statistics }, i) => total + rows[i].weight * statistics.components[at], 0);
      expect(estimate.scale * value).toBeCloseTo(sum, 10);
    });
  });

  it("has halves whose gradients average to its own", () => {
    const rows = [of(0, 3), of(5, 6)].map((half) => ({ rows: half, weight: 2 }));
    const estimate = minibatchEstimate({ model: mixture, data, global, rows });
    const [a, b] = gradientsOfHalves(mixture, global, estimate);
    const whole = naturalGradient({ global, prior: mixture.prior, ...estimate });
    const off = combined(1, combined(0.5, a, 0.5, b), -1, whole);
    expect(innerProduct(off, off)).toBeLessThan(1e-20);
    expect(innerProduct(a, b)).not.toBeCloseTo(innerProduct(a, a), 3);
  });
});

describe("rowsOfSteps", () => {
  it("goes in passes through the data, each row counting N/S", () => {
    const at = rowsOfSteps({ key, total: 8, size: 3, probabilities: undefined, halves: false });
    const passes = shuffledRows(key, 8, 3);
    for (let step = 0; step < 5; step++) expect(at(step, 3)).toEqual([{ rows: passes(step), weight: 8 / 3 }]);
  });

  it("draws two halves anew each step, none of the rows twice, all equally often, each counting N/S", () => {
    const at = rowsOfSteps({ key, total: 8, size: 2, probabilities: undefined, halves: true });
    const steps = 2000;
    const times = [new Float64Array(8), new Float64Array(8)];
    for (let step = 0; step < steps; step++) {
      const size = step % 2 === 0 ? 4 : 6;
      const halves = at(step, size);
      expect(halves.map(({ rows, weight }) => [rows.length, weight])).toEqual(Array(2).fill([size / 2, 8 / size]));
      expect(new Set(halves.flatMap(({ rows }) => Array.from(rows))).size).toBe(size);
      for (const [half, { rows }] of halves.entries()) for (const row of rows) times[half][row]++;
    }
    // Each half takes 2 or 3 of 8 rows in turn: a variance of 3/16 and 15/64 a step.
    const sd = Math.sqrt((steps * (3 / 16 + 15 / 64)) / 2);
    for (const half of times)
      for (const count of half) expect(Math.abs(count - (steps * 5) / 16)).toBeLessThan(4.5 * sd);
    expect(at(3, 6)).toEqual(rowsOfSteps({ key, total: 8, size: 2, probabilities: undefined, halves: true })(3, 6));
  });

  it("draws with probabilities, where they are given", () => {
    const probabilities = Float64Array.of(0.7, 0.1, 0.1, 0.1);
    const parts = rowsOfSteps({ key, total: 4, size: 5, probabilities, halves: false })(0, 5);
    expect(parts.reduce((sum, { rows }) => sum + rows.length, 0)).toBe(5);
    for (const { rows, weight } of parts) expect(weight).toBe(1 / (5 * probabilities[rows[0]]));
  });
});
