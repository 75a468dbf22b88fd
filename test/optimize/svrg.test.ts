import { afterEach, describe, expect, it } from "vitest";
import { foldIn, randomKey, unit } from "../../src/engine/random.js";
import { threefry2x32 } from "../../src/engine/threefry.js";
import { evaluateSum, type FiniteSum } from "../../src/models/finiteSum.js";
import { logisticSum } from "../../src/models/logisticSum.js";
import { newton } from "../../src/optimize/newton.js";
import { sampledRows } from "../../src/optimize/sampledRows.js";
import { constant } from "../../src/optimize/schedules.js";
import { stochasticGradientDescent } from "../../src/optimize/stochasticGradientDescent.js";
import { svrg, svrgContraction } from "../../src/optimize/svrg.js";
import { decrease, labelled, parabolas, subsets, variationalObjective } from "./finiteSums.js";

const interrupt = Symbol.for("marginalia.interrupt");
afterEach(() => {
  delete (globalThis as Record<symbol, unknown>)[interrupt];
});

const key = randomKey(8);
const few = logisticSum({ rows: labelled(6, 2, 5), priorScale: 1 });
const sum = logisticSum({ rows: labelled(80, 2, 9), priorScale: 0.3 });
const start = Float64Array.of(1.5, -2, 1);

describe("sampledRows", () => {
  it("draws every subset equally often, and nothing else", () => {
    const counts = new Map<string, number>();
    const rowsAt = sampledRows(randomKey(3), 5, 3);
    const draws = 20_000;
    for (let step = 0; step < draws; step++) {
      const name = rowsAt(step).join();
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(subsets(5, 3).map((rows) => rows.join()));
    const expected = draws / 10;
    const chiSquare = [...counts.values()].reduce((s, n) => s + (n - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(27.9); // 99.9 % of χ² with 9 degrees of freedom
  });

  it("refuses sizes out of range", () => {
    expect(() => sampledRows(key, 5, 6)).toThrow("from 1 to the 5 rows of the data, not 6");
  });
});

describe("svrg", () => {
  it("steps by a gradient that is unbiased, with the error it reports: over every minibatch", async () => {
    // Two steps from one snapshot: the second step's gradient, over all its minibatches, read off the points it leads to.
    const S = 2;
    const [first, ...rest] = (await svrg({ sum: few, start, rate: constant(0.4), steps: 1, batchSize: S, key })).trace;
    expect(first.gradientError).toBeLessThan(1e-25); // at the snapshot itself the error is zero
    const x1 = (await svrg({ sum: few, start, rate: constant(0.4), steps: 1, batchSize: S, key })).point;
    const exact = (await evaluateSum(few, x1)).gradient;
    const snapshot = (await evaluateSum(few, start)).gradient;
    const reported = rest[rest.length - 1].gradientError;
    const mean = new Float64Array(3);
    let error = 0;
    const batches = subsets(6, S);
    for (const rows of batches) {
      const [here, there] = [new Float64Array(3), new Float64Array(3)];
      few.accumulate(x1, rows, here);
      few.accumulate(start, rows, there);
      const g = here.map((h, d) => (h - there[d]) / S + snapshot[d]);
      g.forEach((value, d) => {
        mean[d] += value / batches.length;
      });
      error += g.reduce((s, value, d) => s + (value - exact[d]) ** 2, 0) / batches.length;
    }
    mean.forEach((value, d) => {
      expect(value).toBeCloseTo(exact[d], 13);
    });
    expect(reported).toBeCloseTo(error, 13);
    // The second step goes along exactly one of those gradients: the one of its rows.
    const rows = sampledRows(key, 6, S)(1);
    const [here, there] = [new Float64Array(3), new Float64Array(3)];
    few.accumulate(x1, rows, here);
    few.accumulate(start, rows, there);
    const { point } = await svrg({ sum: few, start, rate: constant(0.4), steps: 2, batchSize: S, key });
    point.forEach((x, d) => {
      expect(x).toBeCloseTo(x1[d] - 0.4 * ((here[d] - there[d]) / S + snapshot[d]), 13);
    });
  });

  it("with S = N is gradient descent", async () => {
    const { point } = await svrg({ sum: few, start, rate: constant(0.5), steps: 3, batchSize: 6, key });
    let x = start;
    for (let t = 0; t < 3; t++) {
      const { gradient } = await evaluateSum(few, x);
      x = x.map((value, d) => value - 0.5 * gradient[d]);
    }
    point.forEach((value, d) => {
      expect(value).toBeCloseTo(x[d], 13);
    });
  });

  it("comes to the minimum with a constant rate, where its gradient error goes to zero and SGD's does not", async () => {
    const optimum = await newton({ sum, start });
    const options = { sum, start, rate: constant(0.3), steps: 80 * 60, key, optimum: optimum.value };
    const [reduced, plain] = [await svrg(options), await stochasticGradientDescent(options)];
    const last = reduced.trace[reduced.trace.length - 1];
    expect(Math.abs(last.suboptimality)).toBeLessThan(1e-14);
    expect(last.gradientError).toBeLessThan(1e-24);
    expect(last.gradientNorm).toBeLessThan(1e-12);
    optimum.point.forEach((x, d) => {
      expect(reduced.point[d]).toBeCloseTo(x, 11);
    });
    const end = plain.trace[plain.trace.length - 1];
    expect(end.suboptimality).toBeGreaterThan(1e-5);
    expect(end.gradientError).toBeGreaterThan(0.01);
    // 60·80 steps of two terms and a snapshot of 80 terms every 160 steps; SGD one term a step.
    expect(reduced.passes).toBeCloseTo(120 + 30, 10);
    expect(plain.passes).toBeCloseTo(60, 10);
  });

  it("comes to the optimum of an ELBO with finite data by a constant rate, linearly, at the rate of the least curvature there", async () => {
    const { sum: elbo, start: from, point, value, least, largest } = await variationalObjective();
    expect(Math.hypot(...(await evaluateSum(elbo, point)).gradient)).toBeLessThan(1e-14);
    const eta = 0.3;
    expect(eta * largest).toBeLessThan(0.1);
    const slopes: number[] = [];
    for (let r = 0; r < 4; r++) {
      const distances: { step: number; distance: number }[] = [];
      const run = await svrg({
        sum: elbo,
        start: from,
        rate: constant(eta),
        steps: 60 * 70,
        key: foldIn(key, r),
        optimum: value,
        traceEvery: 300,
        onProgress: ({ step }, x) =>
          void distances.push({ step, distance: Math.hypot(...x.map((v, d) => v - point[d])) }),
      });
      const last = run.trace[run.trace.length - 1];
      expect(Math.abs(last.suboptimality)).toBeLessThan(1e-15);
      expect(last.gradientError).toBeLessThan(1e-24);
      expect(distances[distances.length - 1].distance).toBeLessThan(1e-12);
      const { factors, slope } = decrease(distances);
      expect(factors.length).toBeGreaterThan(3);
      // (1 − ημ)^300 is 0.056.
      for (const factor of factors) expect(factor).toBeLessThan(0.2);
      slopes.push(slope / -Math.log(1 - eta * least));
    }
    // In the mean a step contracts the slowest direction by 1 − ημ.
    for (const slope of slopes) expect(Math.abs(slope - 1)).toBeLessThan(0.1);
  });

  it("with random snapshots contracts in the mean at least as the theorem says", async () => {
    const { smoothness, strongConvexity } = sum;
    const rate = 0.1 / smoothness;
    const innerSteps = Math.ceil((20 * smoothness) / strongConvexity);
    const alpha = svrgContraction({ smoothness, strongConvexity, rate, innerSteps });
    expect(alpha).toBeLessThan(0.9);
    const optimum = (await newton({ sum, start })).value;
    const before = (await evaluateSum(sum, start)).value - optimum;
    const loops = 3;
    const after: number[] = [];
    for (let r = 0; r < 12; r++) {
      const run = await svrg({
        sum,
        start,
        rate: constant(rate),
        steps: loops * innerSteps + 1,
        innerSteps,
        snapshot: "random",
        key: foldIn(key, r),
        traceEvery: loops * innerSteps,
        optimum,
      });
      after.push(run.trace[1].suboptimality);
    }
    const mean = after.reduce((s, x) => s + x, 0) / after.length;
    const deviation = Math.sqrt(after.reduce((s, x) => s + (x - mean) ** 2, 0) / (after.length - 1));
    expect(mean + (4 * deviation) / Math.sqrt(after.length)).toBeLessThan(alpha ** loops * before);
  });

  it("gives the same numbers for the same key, and random snapshots of their own", async () => {
    const options = { sum: few, start, rate: constant(0.3), steps: 40, key };
    const again = await svrg(options);
    expect((await svrg(options)).point).toEqual(again.point);
    expect((await svrg({ ...options, key: randomKey(1) })).point).not.toEqual(again.point);
    expect((await svrg({ ...options, snapshot: "random" })).point).not.toEqual(again.point);
  });

  it("refuses terms with noise of their own, and says why; but measures what is left of their error", async () => {
    const clean = parabolas([1, 2, 0.5], [0, 1, 3]);
    let draws = 0;
    const noisy: FiniteSum = {
      ...clean,
      accumulate: (x, rows, g) => {
        const value = clean.accumulate(x, rows, g);
        for (const _ of rows) g[0] += 2 * unit(threefry2x32([1, 2], [draws++, 0])[0]) - 1;
        return value;
      },
    };
    const options = { sum: noisy, start: Float64Array.of(4), rate: constant(0.1), steps: 300, key };
    await expect(svrg(options)).rejects.toThrow(
      "svrg: term 0 has two values at one point, so its noise is drawn anew in every evaluation",
    );
    const { trace } = await svrg({ ...options, randomTerms: "measure" });
    // Two draws of variance 1/3 differ by 2/3 in the mean square, at the snapshot itself as well.
    const late = trace.slice(-20).map(({ gradientError }) => gradientError);
    expect(late.reduce((s, x) => s + x, 0) / late.length).toBeGreaterThan(0.2);
  });

  it("refuses bad options in a sentence", async () => {
    const options = { sum: few, start, rate: constant(0.1), steps: 5, key };
    await expect(svrg({ ...options, steps: 0 })).rejects.toThrow("svrg: steps must be a positive integer, not 0.");
    await expect(svrg({ ...options, innerSteps: 1.5 })).rejects.toThrow("svrg: innerSteps must be a positive integer");
    await expect(svrg({ ...options, batchSize: 7 })).rejects.toThrow("from 1 to the 6 terms, not 7");
    await expect(svrg({ ...options, start: Float64Array.of(1) })).rejects.toThrow("must have 3 finite numbers, not 1");
    await expect(svrg({ ...options, start: Float64Array.of(1, Number.NaN, 0) })).rejects.toThrow("number 1 is NaN");
    await expect(svrg({ ...options, rate: () => 0 })).rejects.toThrow("the rate of step 0 must be positive");
    await expect(
      svrg({ sum: parabolas([1], [0]), start: Float64Array.of(1), rate: constant(1e9), steps: 60, key }),
    ).rejects.toThrow("take a smaller rate");
    const theory = { smoothness: 1, strongConvexity: 0.1, rate: 0.5, innerSteps: 10 };
    expect(() => svrgContraction(theory)).toThrow("the rate must be below 1/(2L) = 0.5");
    expect(() => svrgContraction({ ...theory, strongConvexity: 0 })).toThrow("strongConvexity must be positive");
  });

  it("tells its progress and stops when the cell is interrupted", async () => {
    const seen: number[] = [];
    const options = { sum: few, start, rate: constant(0.1), steps: 10, key, traceEvery: 4 };
    await svrg({ ...options, onProgress: ({ step }) => void seen.push(step) });
    expect(seen).toEqual([0, 4, 8, 10]);
    (globalThis as Record<symbol, unknown>)[interrupt] = AbortSignal.abort();
    await expect(svrg(options)).rejects.toThrow("interrupted");
  });
});
