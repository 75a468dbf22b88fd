import { describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { cavi } from "../../src/methods/cavi.js";
import { streaming } from "../../src/methods/streaming.js";
import { bayesianLinearRegression, type RegressionBatch } from "../../src/models/bayesianLinearRegression.js";
import { rowsDataset } from "../../src/models/conjugateModel.js";
import { uniforms } from "../../src/models/randomStart.js";
import { mixture, threeClusters } from "./conjugate.js";

const inputs = uniforms(randomKey(1), 60);
const responses = uniforms(randomKey(2), 30).map((u, i) => 2 * inputs[2 * i] - inputs[2 * i + 1] + 0.3 * u);
const slice = (from: number, to: number): RegressionBatch => ({
  inputs: inputs.slice(2 * from, 2 * to),
  responses: responses.slice(from, to),
});
const model = bayesianLinearRegression({
  prior: { mean: new Float64Array(2), precision: Float64Array.of(1, 0, 0, 1), shape: 1, rate: 0.5 },
});

describe("streaming", () => {
  it("is exact without local variables: the posterior of all data, and bounds that add up to the evidence", async () => {
    async function* stream(): AsyncGenerator<RegressionBatch> {
      for (const [from, to] of [
        [0, 4],
        [4, 5],
        [5, 30],
      ])
        yield slice(from, to);
    }
    const { global, trace } = await streaming({ model, batches: stream() });
    const { statistics } = model.local(model.prior, slice(0, 30));
    global.weights.forEach((value, i) => {
      expect(value).toBeCloseTo(model.prior.weights[i] + statistics.weights[i], 11);
    });
    const total = trace.reduce((sum, { bound }) => sum + bound, 0);
    expect(total).toBeCloseTo(model.logEvidence(slice(0, 30)), 9);
    expect(trace.map(({ batch }) => batch)).toEqual([1, 2, 3]);
  });

  it("finds a mixture's clusters from batches that it never sees again", async () => {
    const points = threeClusters(5, 150);
    const dataset = rowsDataset(points);
    const batches = [0, 1, 2, 3, 4].map((b) => dataset.take(Int32Array.from({ length: 30 }, (_, i) => 30 * b + i)));
    // A stream goes wrong for good with its first batch: the best of several starts of that one.
    const starts = [1, 2, 3, 4, 5].map((seed) => mixture.start(randomKey(seed), batches[0]));
    const fits = await Promise.all(starts.map((start) => cavi({ model: mixture, data: batches[0], start })));
    const start = fits.reduce((a, b) => (a.bound > b.bound ? a : b)).global;
    const seen: number[] = [];
    const { global } = await streaming({
      model: mixture,
      batches,
      start,
      onProgress: ({ batch }) => void seen.push(batch),
    });
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    const { concentration, components } = mixture.parameters(global);
    expect(concentration.reduce((a, b) => a + b)).toBeCloseTo(153, 9);
    const means = components.map(({ mean }) => mean).sort((a, b) => a[0] - b[0]);
    [
      [-3, 0],
      [0, 4],
      [3, 1],
    ].forEach((centre, k) => {
      for (const j of [0, 1]) expect(Math.abs(means[k][j] - centre[j])).toBeLessThan(0.35);
    });
  });

  it("forgets: a batch j steps old counts λ^j times, about the model's prior", async () => {
    const [forgetting, cuts] = [0.6, [0, 4, 9, 20, 30]];
    const batches = cuts.slice(1).map((to, b) => slice(cuts[b], to));
    const { global, trace } = await streaming({ model, batches, forgetting });
    const expected = Float64Array.from(model.prior.weights);
    batches.forEach((batch, b) => {
      const { statistics } = model.local(model.prior, batch);
      statistics.weights.forEach((value, i) => {
        expected[i] += forgetting ** (batches.length - 1 - b) * value;
      });
    });
    global.weights.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 11);
    });
    // The first batch's prior is the model's, and its bound the evidence; later ones' is the flattened posterior.
    expect(trace[0].bound).toBeCloseTo(model.logEvidence(batches[0]), 9);
    const first = model.local(model.prior, batches[0]).statistics.weights;
    const flattened = { weights: model.prior.weights.map((value, i) => value + forgetting * first[i]) };
    const after = {
      weights: flattened.weights.map((v, i) => v + model.local(model.prior, batches[1]).statistics.weights[i]),
    };
    expect(trace[1].bound).toBeCloseTo(model.local(after, batches[1]).bound - model.kl(after, flattened), 9);
  });

  it("refuses to forget out of range", async () => {
    for (const forgetting of [0, 1.01, Number.NaN]) {
      await expect(streaming({ model, batches: [slice(0, 4)], forgetting })).rejects.toThrow(
        `forgetting must be in (0, 1], not ${forgetting}; 1 forgets nothing.`,
      );
    }
  });

  it("refuses an empty stream", async () => {
    await expect(streaming({ model, batches: [] })).rejects.toThrow("the stream has no batches; give it at least one.");
  });
});
