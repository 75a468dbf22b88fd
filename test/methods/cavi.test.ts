import { afterEach, describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { type CaviPoint, cavi } from "../../src/methods/cavi.js";
import { bayesianLinearRegression } from "../../src/models/bayesianLinearRegression.js";
import { latentDirichletAllocation } from "../../src/models/latentDirichletAllocation.js";
import { uniforms } from "../../src/models/randomStart.js";
import { fortyDocuments, inOtherUnits, mixture, threeClusters } from "./conjugate.js";

const interrupt = Symbol.for("marginalia.interrupt");
afterEach(() => {
  delete (globalThis as Record<symbol, unknown>)[interrupt];
});

const data = threeClusters(1, 90);
const monotone = (trace: readonly CaviPoint[]): boolean =>
  trace.every(({ bound }, i) => i === 0 || bound >= trace[i - 1].bound - 1e-12 * Math.abs(bound));

describe("cavi", () => {
  it("reaches the exact evidence and posterior of a regression in one update", async () => {
    const inputs = uniforms(randomKey(1), 60);
    const responses = uniforms(randomKey(2), 20).map((u, i) => 2 * inputs[3 * i] - inputs[3 * i + 1] + 0.3 * u);
    const model = bayesianLinearRegression({
      prior: { mean: new Float64Array(3), precision: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), shape: 1, rate: 0.5 },
    });
    const result = await cavi({ model, data: { inputs, responses }, start: model.prior });
    const evidence = model.logEvidence({ inputs, responses });
    expect(result.trace[0].bound).toBeLessThan(evidence - 1);
    expect(Math.abs(result.trace[1].bound - evidence)).toBeLessThan(1e-10 * Math.abs(evidence));
    expect(result).toMatchObject({ steps: 2, stoppedBecause: "converged" });
    // (I + XᵀX) m = Xᵀ y.
    const { mean } = model.parameters(result.global);
    for (const i of [0, 1, 2]) {
      let residual = -mean[i];
      for (let row = 0; row < 20; row++) {
        const fitted = [0, 1, 2].reduce((total, j) => total + inputs[3 * row + j] * mean[j], 0);
        residual += inputs[3 * row + i] * (responses[row] - fitted);
      }
      expect(residual).toBeCloseTo(0, 10);
    }
  });

  it("never lowers the ELBO of a mixture, and finds its clusters", async () => {
    const results = [];
    for (const seed of [1, 2, 3, 4, 5]) {
      const result = await cavi({ model: mixture, data, start: mixture.start(randomKey(seed), data), tolerance: 0 });
      expect(monotone(result.trace)).toBe(true);
      results.push(result);
    }
    const best = results.reduce((a, b) => (a.bound > b.bound ? a : b));
    const means = mixture.parameters(best.global).components.map(({ mean }) => mean);
    means.sort((a, b) => a[0] - b[0]);
    [
      [-3, 0],
      [0, 4],
      [3, 1],
    ].forEach((centre, k) => {
      for (const j of [0, 1]) expect(Math.abs(means[k][j] - centre[j])).toBeLessThan(0.35);
    });
  });

  it.each([1, 2, 100])("never lowers the ELBO of LDA with %i updates of a document at a time", async (maxUpdates) => {
    const model = latentDirichletAllocation({ topics: 5, vocabulary: 25, alpha: 0.2, eta: 0.3, maxUpdates });
    const result = await cavi({
      model,
      data: fortyDocuments,
      start: model.start(randomKey(1)),
      tolerance: 0,
      maxSteps: 60,
    });
    expect(result.trace.length).toBeGreaterThan(10);
    expect(monotone(result.trace)).toBe(true);
    expect(result.bound).toBeGreaterThan(result.trace[1].bound);
    // Started anew, q(θ) of the documents ends where the topics alone lead it.
    const anew = await cavi({
      model,
      data: fortyDocuments,
      start: model.start(randomKey(1)),
      maxSteps: 3,
      warmStart: false,
    });
    expect(anew.bound).toBe(model.local(anew.global, fortyDocuments).bound - model.kl(anew.global));
  });

  it("converges, and takes no rounding for a fall, where the ELBO is near zero", async () => {
    const start = mixture.start(randomKey(3), data);
    const converged = await cavi({ model: mixture, data, start, tolerance: 1e-15 });
    const model = inOtherUnits(mixture, converged.bound / 90);
    const result = await cavi({ model, data, start, tolerance: 1e-14 });
    expect(Math.abs(result.bound)).toBeLessThan(1e-10);
    expect(result.stoppedBecause).toBe("converged");
    // A share of the ELBO itself, here 1e-20, no gain but 0 is below.
    expect((await cavi({ model, data, start })).steps).toBeLessThan(result.steps);
    // Nor from other places near the optimum, where a gain is rounding from the first update on.
    for (let i = 1; i <= 20; i++) {
      const weights = result.global.weights.map((value, k) => value + 1e-8 * i * (k - 1));
      await cavi({ model, data, start: { ...result.global, weights }, tolerance: 0, maxSteps: 10 });
    }
  });

  it("reports a model whose bound and statistics contradict each other", async () => {
    const inputs = uniforms(randomKey(5), 10);
    const model = bayesianLinearRegression({
      prior: { mean: new Float64Array(1), precision: Float64Array.of(1), shape: 1, rate: 1 },
    });
    const flipped = {
      ...model,
      local: (...[global, batch]: Parameters<typeof model.local>) => {
        const { statistics, bound } = model.local(global, batch);
        return { statistics, bound: -bound };
      },
    };
    const run = cavi({ model: flipped, data: { inputs, responses: inputs.map((x) => 3 * x) }, start: model.prior });
    await expect(run).rejects.toThrow(/cavi: update 1 lowered the ELBO from/);
  });

  it("tells its progress, leaves the start alone, and gives the same numbers again", async () => {
    const start = mixture.start(randomKey(3), data);
    const kept = structuredClone(start);
    const seen: number[] = [];
    const options = { model: mixture, data, start, maxSteps: 5, tolerance: 0 };
    const first = await cavi({ ...options, onProgress: ({ bound }) => void seen.push(bound) });
    expect(seen).toEqual(first.trace.slice(1).map(({ bound }) => bound));
    expect(start).toEqual(kept);
    expect((await cavi(options)).global).toEqual(first.global);
    expect(first.stoppedBecause).toBe("all steps taken");
  });

  it("can be interrupted", async () => {
    const controller = new AbortController();
    (globalThis as Record<symbol, unknown>)[interrupt] = controller.signal;
    const start = mixture.start(randomKey(3), data);
    const run = cavi({
      model: mixture,
      data,
      start,
      tolerance: 0,
      onProgress: ({ step }) => {
        if (step === 2) controller.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ name: "KeyboardInterrupt" });
  });

  it("refuses settings out of range", async () => {
    const start = mixture.start(randomKey(3), data);
    await expect(cavi({ model: mixture, data, start, maxSteps: 0 })).rejects.toThrow(/positive integer, not 0/);
    await expect(cavi({ model: mixture, data, start, tolerance: -1 })).rejects.toThrow(/must be ≥ 0, not -1/);
    const broken = { ...start, weights: Float64Array.of(1, Number.NaN, 1) };
    await expect(cavi({ model: mixture, data, start: broken })).rejects.toThrow(
      'cavi: the start: natural parameter 1 of "weights" is NaN',
    );
  });
});
