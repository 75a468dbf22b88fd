import { describe, expect, it } from "vitest";
import { foldIn, randomKey } from "../../src/engine/random.js";
import { evaluateSum } from "../../src/models/finiteSum.js";
import { logisticSum } from "../../src/models/logisticSum.js";
import { newton } from "../../src/optimize/newton.js";
import { saga, sagaContraction } from "../../src/optimize/saga.js";
import { sampledRows } from "../../src/optimize/sampledRows.js";
import { constant } from "../../src/optimize/schedules.js";
import { decrease, labelled, subsets, variationalObjective } from "./finiteSums.js";

const key = randomKey(8);
const few = logisticSum({ rows: labelled(6, 2, 5), priorScale: 1 });
const sum = logisticSum({ rows: labelled(80, 2, 9), priorScale: 0.3 });
const start = Float64Array.of(1.5, -2, 1);

describe("saga", () => {
  it("steps by a gradient that is unbiased, with the error it reports: over every minibatch", async () => {
    const [S, eta] = [2, 0.4];
    const rowsAt = sampledRows(key, 6, S);
    const term = (i: number, x: Float64Array): Float64Array => {
      const g = new Float64Array(3);
      few.accumulate(x, Int32Array.of(i), g);
      return g;
    };
    // SAGA as it is written, with an explicit table and its mean computed anew.
    const table = Array.from({ length: 6 }, (_, i) => term(i, start));
    let x = start;
    for (let step = 0; step < 4; step++) {
      const average = [0, 1, 2].map((d) => table.reduce((s, row) => s + row[d] / 6, 0));
      const estimate = (rows: Int32Array): number[] =>
        average.map((a, d) => a + [...rows].reduce((s, i) => s + (term(i, x)[d] - table[i][d]) / S, 0));
      const exact = (await evaluateSum(few, x)).gradient;
      const all = subsets(6, S).map(estimate);
      exact.forEach((g, d) => {
        expect(all.reduce((s, row) => s + row[d] / all.length, 0)).toBeCloseTo(g, 13);
      });
      const error = all.reduce((s, row) => s + row.reduce((t, v, d) => t + (v - exact[d]) ** 2, 0) / all.length, 0);
      const run = await saga({
        sum: few,
        start,
        rate: constant(eta),
        steps: step + 1,
        batchSize: S,
        key,
        traceEvery: 1,
      });
      expect(run.trace[step].gradientError).toBeCloseTo(error, 13);
      const rows = rowsAt(step);
      const g = estimate(rows);
      const next = x.map((value, d) => value - eta * g[d]);
      for (const i of rows) table[i] = term(i, x);
      x = next;
      run.point.forEach((value, d) => {
        expect(value).toBeCloseTo(x[d], 13);
      });
    }
  });

  it("comes to the minimum with a constant rate, its gradient error to zero, in one gradient a step", async () => {
    const optimum = await newton({ sum, start });
    const run = await saga({ sum, start, rate: constant(0.3), steps: 80 * 60, key, optimum: optimum.value });
    const last = run.trace[run.trace.length - 1];
    expect(Math.abs(last.suboptimality)).toBeLessThan(1e-14);
    expect(last.gradientError).toBeLessThan(1e-24);
    expect(run.passes).toBeCloseTo(61, 10);
  });

  it("comes to the optimum of an ELBO with finite data by a constant rate, linearly, at the rate of the least curvature there", async () => {
    const { sum: elbo, start: from, point, value, least, largest } = await variationalObjective();
    expect(Math.hypot(...(await evaluateSum(elbo, point)).gradient)).toBeLessThan(1e-14);
    const eta = 0.3;
    expect(eta * largest).toBeLessThan(0.1);
    const slopes: number[] = [];
    for (let r = 0; r < 8; r++) {
      const distances: { step: number; distance: number }[] = [];
      const run = await saga({
        sum: elbo,
        start: from,
        rate: constant(eta),
        steps: 60 * 70,
        key: foldIn(key, r),
        optimum: value,
        // In ten passes hardly a term is not drawn; the longest unseen holds the error up.
        traceEvery: 600,
        onProgress: ({ step }, x) =>
          void distances.push({ step, distance: Math.hypot(...x.map((v, d) => v - point[d])) }),
      });
      const last = run.trace[run.trace.length - 1];
      expect(Math.abs(last.suboptimality)).toBeLessThan(1e-15);
      expect(last.gradientError).toBeLessThan(1e-24);
      expect(distances[distances.length - 1].distance).toBeLessThan(1e-12);
      const { factors, slope } = decrease(distances);
      expect(factors.length).toBeGreaterThan(1);
      for (const factor of factors) expect(factor).toBeLessThan(0.5);
      slopes.push(slope / -Math.log(1 - eta * least));
    }
    // In the mean a step contracts the slowest direction by 1 − ημ; the table, which forgets by 1 − 1/N a step, is faster.
    expect(eta * least).toBeLessThan(1 / 60);
    expect(Math.abs(slopes.reduce((sum, slope) => sum + slope / slopes.length, 0) - 1)).toBeLessThan(0.2);
  });

  it("contracts in the mean at least as the theorem says", async () => {
    const { smoothness: L, strongConvexity: mu, size: N } = sum;
    const optimum = await newton({ sum, start });
    const distance = (x: Float64Array): number => x.reduce((s, v, d) => s + (v - optimum.point[d]) ** 2, 0);
    // E‖x_k − x*‖² ≤ c^k [‖x_0 − x*‖² + (2N/3L) (F(x_0) − Σ ∇f_i(x*)ᵀ(x_0 − x*)/N − F(x*))], and the sum of ∇f_i(x*) is zero.
    const first = distance(start) + ((2 * N) / (3 * L)) * ((await evaluateSum(sum, start)).value - optimum.value);
    const steps = 8 * N;
    const bound = sagaContraction({ smoothness: L, strongConvexity: mu, size: N }) ** steps * first;
    const ends: number[] = [];
    for (let r = 0; r < 12; r++) {
      const run = await saga({
        sum,
        start,
        rate: constant(1 / (3 * L)),
        steps,
        key: foldIn(key, r),
        traceEvery: steps,
      });
      ends.push(distance(run.point));
    }
    const mean = ends.reduce((s, x) => s + x, 0) / ends.length;
    const deviation = Math.sqrt(ends.reduce((s, x) => s + (x - mean) ** 2, 0) / (ends.length - 1));
    expect(mean + (4 * deviation) / Math.sqrt(ends.length)).toBeLessThan(bound);
  });

  it("refuses a table too large and constants out of range", async () => {
    const options = { rate: constant(0.1), steps: 1, key };
    await expect(saga({ sum: { ...few, size: 2 ** 27 }, start, ...options })).rejects.toThrow("use svrg");
    expect(() => sagaContraction({ size: 10, smoothness: 0, strongConvexity: 1 })).toThrow(
      "smoothness must be positive",
    );
  });
});
