import { describe, expect, it } from "vitest";
import { sequencesOf } from "../../src/data/sequences.js";
import { simulatedSequences } from "../../src/data/simulatedSequences.js";
import { randomKey, split } from "../../src/engine/random.js";
import { cavi } from "../../src/methods/cavi.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { streaming } from "../../src/methods/streaming.js";
import { svrgVariationalInference } from "../../src/methods/svrgVariationalInference.js";
import { categoricalEmissions } from "../../src/models/categoricalEmissions.js";
import { rowsOf } from "../../src/models/conjugateModel.js";
import { exactHiddenMarkovModel } from "../../src/models/exactHiddenMarkovModel.js";
import { exactMixture } from "../../src/models/exactMixture.js";
import { gaussianEmissions } from "../../src/models/gaussianEmissions.js";
import { gaussianMixture } from "../../src/models/gaussianMixture.js";
import { hiddenMarkovModel } from "../../src/models/hiddenMarkovModel.js";
import { sequencesDataset } from "../../src/models/sequencesDataset.js";
import { robbinsMonro } from "../../src/optimize/robbinsMonro.js";
import { constant } from "../../src/optimize/schedules.js";

const prior = {
  mean: Float64Array.of(0, 0.5),
  meanPrecision: 0.3,
  inverseScale: Float64Array.of(1, 0.2, 0.2, 1.5),
  degrees: 4,
};
const gaussian = hiddenMarkovModel({
  emissions: gaussianEmissions({ states: 2, prior }),
  initial: 0.8,
  transition: 0.7,
  stickiness: 1.5,
});
const symbolic = hiddenMarkovModel({
  emissions: categoricalEmissions({ states: 3, symbols: 3, concentration: 0.4 }),
  initial: 0.8,
  transition: 0.5,
});
const points = sequencesOf(
  [
    [-2, 0, -2.3, 0.6, -1.6, -0.2, 2.1, 1.4, 1.8, 0.7],
    [2.6, 1.1, 0.3, 0.2, 1.9, 0.8],
  ],
  2,
);
const single = sequencesOf(
  Array.from({ length: 8 }, (_, i) => points.values.slice(2 * i, 2 * i + 2)),
  2,
);
const symbols = sequencesOf([
  [0, 0, 2, 0],
  [1, 2, 2, 1, 2],
]);

/** Three states in the plane that like to stay. */
const simulation = {
  initial: [1, 1, 1],
  transitions: [0.9, 0.08, 0.02, 0.1, 0.8, 0.1, 0.05, 0.05, 0.9],
  emissions: {
    means: [
      [-3, 0],
      [3, 1],
      [0, 4],
    ],
    covariances: [
      [1, 0.3, 0.3, 0.5],
      [0.6, 0, 0, 0.6],
      [0.4, -0.2, -0.2, 1],
    ],
  },
};
const many = simulatedSequences({ ...simulation, key: randomKey(3), lengths: Array(40).fill(25) });
const planar = hiddenMarkovModel({
  emissions: gaussianEmissions({
    states: 3,
    prior: { mean: Float64Array.of(0, 0), meanPrecision: 0.05, inverseScale: Float64Array.of(1, 0, 0, 1), degrees: 3 },
  }),
});
const start = planar.start(randomKey(1), many);

describe("exactHiddenMarkovModel", () => {
  it("gives probabilities of symbols that sum to 1", () => {
    let total = 0;
    for (let code = 0; code < 27; code++) {
      const x = [code % 3, Math.floor(code / 3) % 3, Math.floor(code / 9)];
      total += Math.exp(exactHiddenMarkovModel(symbolic, sequencesOf([x.slice(0, 2), x.slice(2)])).logEvidence);
    }
    expect(total).toBeCloseTo(1, 12);
  });

  it("is the exact mixture where every sequence is one observation", () => {
    const mixture = gaussianMixture({ components: 2, concentration: 0.8, prior });
    expect(exactHiddenMarkovModel(gaussian, single).logEvidence).toBeCloseTo(
      exactMixture(mixture, rowsOf(single.values, 2)).logEvidence,
      10,
    );
  });

  it("knows the order of transitions: far clusters leave only the probability of their order", () => {
    const a = 0.5;
    const model = hiddenMarkovModel({
      emissions: gaussianEmissions({ states: 3, prior: { ...prior, meanPrecision: 1e-3 } }),
      transition: a,
    });
    const at = { A: [-30, 0], a: [-31, 1], B: [30, 1], b: [29, 0], C: [0, 40] };
    const evidence = (order: readonly (keyof typeof at)[]): number =>
      exactHiddenMarkovModel(model, sequencesOf([order.flatMap((name) => at[name])], 2)).logEvidence;
    // Pólya's urn, row by row. AABBC: A→A, A→B, B→B, B→C; ABCAB: A→B twice, B→C, C→A.
    const two = 3 * a * (3 * a + 1);
    const [first, second] = [(a * a * a * a) / two ** 2, (a * (a + 1)) / two / 9];
    expect(evidence(["A", "a", "B", "b", "C"]) - evidence(["A", "B", "C", "a", "b"])).toBeCloseTo(
      Math.log(first / second),
      4,
    );
  });

  it("refuses too many states", () => {
    expect(() => exactHiddenMarkovModel(planar, many)).toThrow(/1000 observations of 3 states have/);
  });
});

describe("hiddenMarkovModel", () => {
  it("has a prior that holds states to themselves", () => {
    expect(gaussian.prior.transitions).toEqual(Float64Array.of(0.7 + 1.5, 0.7, 0.7, 0.7 + 1.5));
    expect(gaussian.prior.initial).toEqual(Float64Array.of(0.8, 0.8));
    const { initial, transitions } = gaussian.parameters(gaussian.prior);
    expect(initial).toEqual(Float64Array.of(0.5, 0.5));
    transitions.forEach((p, i) => {
      expect(p).toBeCloseTo([2.2, 0.7, 0.7, 2.2][i] / 2.9, 14);
    });
  });

  it("is a mixture where every sequence is one observation", () => {
    const mixture = gaussianMixture({ components: 2, concentration: 0.8, prior });
    const global = gaussian.start(randomKey(2), single);
    const same = { weights: global.initial, components: global.emissions };
    const [found, expected] = [gaussian.local(global, single), mixture.local(same, rowsOf(single.values, 2))];
    expect(found.bound).toBeCloseTo(expected.bound, 11);
    found.statistics.emissions.forEach((value, i) => {
      expect(value).toBeCloseTo(expected.statistics.components[i], 11);
    });
    found.statistics.initial.forEach((value, i) => {
      expect(value).toBeCloseTo(expected.statistics.weights[i], 11);
    });
    expect(found.statistics.transitions).toEqual(new Float64Array(4));
    expect(gaussian.kl(global)).toBeCloseTo(mixture.kl(same), 11);
  });

  it("has a monotone ELBO and the same fit, moved along, however far from zero prior and observations lie", async () => {
    const fitAt = async (offset: number) => {
      const moved = hiddenMarkovModel({
        emissions: gaussianEmissions({ states: 2, prior: { ...prior, mean: prior.mean.map((m) => m + offset) } }),
      });
      const data = { ...points, values: points.values.map((value) => value + offset) };
      const run = await cavi({ model: moved, data, start: moved.start(randomKey(1), data), tolerance: 1e-12 });
      return {
        run,
        means: moved.parameters(run.global).emissions.map(({ mean }) => mean.map((value) => value - offset)),
        exact: exactHiddenMarkovModel(moved, data).logEvidence,
      };
    };
    const at0 = await fitAt(0);
    for (const offset of [1e4, 1e6]) {
      const { run, means, exact } = await fitAt(offset);
      for (let i = 1; i < run.trace.length; i++)
        expect(run.trace[i].bound).toBeGreaterThan(run.trace[i - 1].bound - 1e-12 * Math.abs(run.bound));
      expect(run.bound).toBeCloseTo(at0.run.bound, 8);
      expect(exact).toBeCloseTo(at0.exact, 8);
      for (const [k, mean] of means.entries())
        mean.forEach((value, d) => {
          expect(value).toBeCloseTo(at0.means[k][d], 8);
        });
    }
  });

  it("has an ELBO below log p(x) by enumeration at every update of CAVI: Gaussians", async () => {
    const { logEvidence } = exactHiddenMarkovModel(gaussian, points);
    for (const seed of [1, 2, 3]) {
      const from = gaussian.start(randomKey(seed), points);
      const { trace, bound } = await cavi({ model: gaussian, data: points, start: from, tolerance: 1e-12 });
      for (const point of trace) expect(point.bound).toBeLessThan(logEvidence);
      expect(bound).toBeGreaterThan(logEvidence - 4);
    }
  });

  it("has an ELBO below log p(x) by enumeration at every update of CAVI: symbols", async () => {
    const { logEvidence } = exactHiddenMarkovModel(symbolic, symbols);
    for (const seed of [1, 2, 3]) {
      const from = symbolic.start(randomKey(seed), symbols);
      const { trace, bound } = await cavi({ model: symbolic, data: symbols, start: from, tolerance: 1e-12 });
      for (const point of trace) expect(point.bound).toBeLessThan(logEvidence);
      expect(bound).toBeGreaterThan(logEvidence - 6);
    }
  });

  it("is exact where the data leave no doubt about states: the gap is log K! numberings", async () => {
    const far = { ...prior, meanPrecision: 1e-3 };
    const model = hiddenMarkovModel({ emissions: gaussianEmissions({ states: 2, prior: far }), transition: 0.7 });
    const apart = sequencesOf([[-20, 0, -21, 0.6, 20, 1.4, -19, -0.2, 21, 0.7, 19, 1.1]], 2);
    const bounds = [];
    for (const seed of [1, 2, 3, 4]) {
      const from = model.start(randomKey(seed), apart);
      bounds.push((await cavi({ model, data: apart, start: from, tolerance: 1e-13 })).bound);
    }
    const { logEvidence, together } = exactHiddenMarkovModel(model, apart);
    expect(logEvidence - Math.max(...bounds)).toBeCloseTo(Math.log(2), 3);
    const signs = [-1, -1, 1, -1, 1, 1];
    together.forEach((p, i) => {
      expect(p).toBeCloseTo(Number(signs[Math.floor(i / 6)] === signs[i % 6]), 4);
    });
  });

  it("never lowers the ELBO, and finds the states that made the data", async () => {
    const results = [];
    for (const seed of [1, 2, 3]) {
      const result = await cavi({
        model: planar,
        data: many,
        start: planar.start(randomKey(seed), many),
        tolerance: 0,
        maxSteps: 60,
      });
      result.trace.slice(1).forEach(({ bound }, i) => {
        expect(bound).toBeGreaterThan(result.trace[i].bound - 1e-12 * Math.abs(bound));
      });
      results.push(result);
    }
    const best = results.reduce((a, b) => (a.bound > b.bound ? a : b));
    const { transitions, emissions } = planar.parameters(best.global);
    const order = [0, 1, 2].sort((a, b) => emissions[a].mean[0] - emissions[b].mean[0]);
    const numbers = [order[0], order[2], order[1]]; // ours, of the simulation's states 0, 1 and 2
    simulation.emissions.means.forEach((mean, k) => {
      for (const j of [0, 1]) expect(Math.abs(emissions[numbers[k]].mean[j] - mean[j])).toBeLessThan(0.2);
    });
    numbers.forEach((i, a) => {
      numbers.forEach((j, b) => {
        // Some 320 transitions from each state: three standard errors are at most 0.07.
        expect(Math.abs(transitions[3 * i + j] - simulation.transitions[3 * a + b])).toBeLessThan(0.07);
      });
    });
    const marginals = planar.marginals(best.global, many);
    const right = many.states.filter((state, t) => marginals[3 * t + numbers[state]] > 0.5).length;
    expect(right / 1000).toBeGreaterThan(0.98);
  });

  it("with S = N and ρ = 1 is CAVI by SVI, to the bit, and by SVRG but for rounding", async () => {
    const few = { model: planar, data: sequencesDataset(many), batchSize: 40, rate: constant(1), steps: 4, start };
    const batch = await cavi({ model: planar, data: many, start, tolerance: 0, maxSteps: 4 });
    const svi = await stochasticVariationalInference({ ...few, key: randomKey(5) });
    expect(svi.global).toEqual(batch.global);
    const svrg = await svrgVariationalInference({ ...few, key: randomKey(5) });
    expect(svrg.bound).toBeCloseTo(batch.bound, 7);
  });

  it("comes close to CAVI from minibatches of sequences, and takes in a stream of them", async () => {
    const data = sequencesDataset(many);
    const optimum = (await cavi({ model: planar, data: many, start })).bound;
    const elbo = (global: typeof start): number => planar.local(global, many).bound - planar.kl(global);
    const rate = robbinsMonro({ kappa: 0.7, tau: 5 });
    const svi = await stochasticVariationalInference({
      model: planar,
      data,
      batchSize: 5,
      rate,
      steps: 200,
      start,
      key: randomKey(6),
    });
    expect(elbo(svi.global)).toBeGreaterThan(optimum - 2);
    const batches = [0, 1, 2, 3].map((b) => data.take(Int32Array.from({ length: 10 }, (_, i) => 10 * b + i)));
    const stream = await streaming({ model: planar, batches, start });
    const seen = stream.global.transitions.reduce((a, b) => a + b) - 9;
    expect(seen).toBeCloseTo(40 * 24, 8);
    expect(elbo(stream.global)).toBeGreaterThan(optimum - 20);
  });

  it("has emissions whose natural parameters are the inverse of the usual ones, in the observations' coordinates", () => {
    const moved = { ...prior, mean: prior.mean.map((m) => m + 64) };
    const emissions = gaussianEmissions({ states: 2, prior: moved });
    expect(emissions.origin).toEqual(moved.mean);
    const usual = [moved, { ...moved, mean: moved.mean.map((m) => m - 3), degrees: prior.degrees + 2 }];
    const natural = emissions.natural(usual);
    expect(natural.slice(0, natural.length / 2)).toEqual(emissions.prior.slice(0, natural.length / 2));
    for (const [k, { mean, meanPrecision, inverseScale, degrees }] of emissions.parameters(natural).entries()) {
      mean.forEach((value, d) => {
        expect(value).toBeCloseTo(usual[k].mean[d], 12);
      });
      expect(meanPrecision).toBeCloseTo(usual[k].meanPrecision, 14);
      expect(degrees).toBeCloseTo(usual[k].degrees, 14);
      inverseScale.forEach((value, i) => {
        expect(value).toBeCloseTo(usual[k].inverseScale[i], 12);
      });
    }
    // Of a mixture with this prior and these components it is the same.
    const mixture = gaussianMixture({ components: 2, concentration: 1, prior: moved });
    const { components } = mixture.natural({ concentration: Float64Array.of(1, 1), components: usual });
    expect(natural).toEqual(components);
    expect(() => emissions.natural([moved])).toThrow("natural takes the parameters of 2 states, not 1.");
    const short = { ...prior, mean: Float64Array.of(1) };
    expect(() => emissions.natural([moved, short])).toThrow(
      "gaussianEmissions: the mean of state 1 must have 2 values",
    );
    const letters = symbolic.emissions;
    expect(letters.natural(letters.parameters(letters.prior))).toEqual(letters.prior);
    expect(() => letters.natural([])).toThrow("categoricalEmissions: natural takes the parameters of 3 states, not 0.");
  });

  it("starts from a key", () => {
    const [a, b] = split(randomKey(4), 2);
    expect(symbolic.start(a, symbols)).toEqual(symbolic.start(a, symbols));
    expect(symbolic.start(a, symbols)).not.toEqual(symbolic.start(b, symbols));
    expect(planar.start(a, many)).toEqual(planar.start(a, many));
    expect(planar.start(a, many)).not.toEqual(planar.start(b, many));
  });

  it("refuses what does not fit", () => {
    const emissions = gaussianEmissions({ states: 2, prior });
    expect(() => hiddenMarkovModel({ emissions: gaussianEmissions({ states: 1, prior }) })).toThrow(
      "at least two states, not 1.",
    );
    expect(() => hiddenMarkovModel({ emissions, transition: 0 })).toThrow("must be positive and finite");
    expect(() => hiddenMarkovModel({ emissions, initial: -1 })).toThrow("must be positive and finite");
    expect(() => hiddenMarkovModel({ emissions, stickiness: -1 })).toThrow(
      "stickiness must be finite and ≥ 0, not -1.",
    );
    const global = gaussian.start(randomKey(2), points);
    expect(() => gaussian.local(global, symbols)).toThrow("of 2 columns, but the observations have 1.");
    expect(() => gaussian.local(global, { ...points, size: 0 })).toThrow("the batch has no sequences");
    expect(() => gaussian.start(randomKey(2), sequencesOf([[1, 2]], 2))).toThrow(
      "2 states start from as many observations, but there are 1.",
    );
    expect(() => symbolic.start(randomKey(2), sequencesOf([[0, 3]]))).toThrow(
      "observation 1 is 3, but symbols are 0 to 2.",
    );
    expect(() => symbolic.local(symbolic.prior, points)).toThrow("an observation is one symbol, but here it has 2");
    expect(() => gaussianEmissions({ states: 0, prior })).toThrow("positive integer, not 0.");
    expect(() => categoricalEmissions({ states: 1.5, symbols: 2, concentration: 1 })).toThrow("not 1.5.");
  });
});
