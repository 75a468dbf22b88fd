import { describe, expect, it } from "vitest";
import { type SparseEntry, sparseRowsOf } from "../../src/data/sparseRows.js";
import { logIntegral, productRule, trapezoid } from "../../src/diagnostics/quadrature.js";
import { digamma } from "../../src/diagnostics/specialFunctions.js";
import { randomKey } from "../../src/engine/random.js";
import { klDivergence } from "../../src/families/exponentialFamily.js";
import { normalGammaFamily } from "../../src/families/normalGammaFamily.js";
import { cavi } from "../../src/methods/cavi.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { streaming } from "../../src/methods/streaming.js";
import { svrgVariationalInference } from "../../src/methods/svrgVariationalInference.js";
import { bayesianLinearRegression } from "../../src/models/bayesianLinearRegression.js";
import { matrixFactorisation } from "../../src/models/matrixFactorisation.js";
import { uniforms } from "../../src/models/randomStart.js";
import { sparseDataset } from "../../src/models/sparseDataset.js";
import { robbinsMonro } from "../../src/optimize/robbinsMonro.js";
import { constant } from "../../src/optimize/schedules.js";

const noise = { shape: 2, rate: 1.5 };
const [userPrecision, itemPrecision] = [1.3, 0.6];
const entries: SparseEntry[] = [
  { row: 0, column: 0, value: 1.2 },
  { row: 0, column: 1, value: -0.7 },
  { row: 1, column: 0, value: -2 },
  { row: 1, column: 2, value: 0.4 },
];
const tiny = sparseRowsOf({ size: 2, columns: 3, entries });
const line = matrixFactorisation({ rank: 1, items: 3, userPrecision, itemPrecision, noise });
const plane = matrixFactorisation({ rank: 2, items: 3, userPrecision, itemPrecision, noise });

/** log p(r): the items and the noise by the evidence of a regression on (u at the item's place), the two users by quadrature. */
function exactEvidence(): number {
  const regression = bayesianLinearRegression({
    prior: {
      mean: new Float64Array(3),
      precision: Float64Array.from({ length: 9 }, (_, i) => (i % 4 === 0 ? itemPrecision : 0)),
      ...noise,
    },
  });
  const rule = productRule(trapezoid(-7, 7, 141), trapezoid(-7, 7, 141));
  const responses = Float64Array.from(entries, ({ value }) => value);
  const logs = rule.logWeights.map((_, q) => {
    const u = [rule.points[2 * q], rule.points[2 * q + 1]];
    const inputs = new Float64Array(12);
    entries.forEach(({ row, column }, e) => {
      inputs[3 * e + column] = u[row];
    });
    const logPrior = u.reduce(
      (sum, x) => sum + (Math.log(userPrecision / (2 * Math.PI)) - userPrecision * x * x) / 2,
      0,
    );
    return logPrior + regression.logEvidence({ inputs, responses });
  });
  return logIntegral(rule, logs);
}

/** Rank 2, 80 users, 40 items, noise 0.3; of each user some 60% of the items are seen, and half of the others kept back. */
const draws = uniforms(randomKey(5), 80 * 2 + 40 * 2 + 80 * 40 * 5);
const seen: SparseEntry[] = [];
const keptBack: SparseEntry[] = [];
for (let u = 0; u < 80; u++) {
  for (let i = 0; i < 40; i++) {
    const own = draws.subarray(240 + 5 * (40 * u + i), 245 + 5 * (40 * u + i));
    const product = [0, 1].reduce((sum, d) => sum + 12 * (draws[2 * u + d] - 0.5) * (draws[160 + 2 * i + d] - 0.5), 0);
    // A sum of four uniform numbers has the variance 1/3.
    const value = product + 0.3 * Math.sqrt(3) * (own[0] + own[1] + own[2] + own[3] - 2);
    if (own[4] < 0.6) seen.push({ row: u, column: i, value });
    else if (own[4] < 0.8) keptBack.push({ row: u, column: i, value });
  }
}
const ratings = sparseRowsOf({ size: 80, columns: 40, entries: seen });
const heldOut = sparseRowsOf({ size: 80, columns: 40, entries: keptBack });
const model = matrixFactorisation({ rank: 2, items: 40, itemPrecision: 1, noise: { shape: 1, rate: 1 } });
const start = model.start(randomKey(1));

describe("matrixFactorisation", () => {
  it("has an ELBO below log p(r) by quadrature at every update of CAVI", async () => {
    const evidence = exactEvidence();
    for (const seed of [1, 2, 3]) {
      const { trace, bound } = await cavi({
        model: line,
        data: tiny,
        start: line.start(randomKey(seed)),
        tolerance: 1e-13,
      });
      for (const point of trace) expect(point.bound).toBeLessThan(evidence);
      expect(bound).toBeGreaterThan(evidence - 2);
    }
  });

  it("has the bound that quadrature over u gives, and statistics that are its moments", () => {
    const global = {
      linear: Float64Array.of(0.8, -0.5, 0.3),
      precisions: Float64Array.of(1.4, 0.9, 2),
      noise: Float64Array.of(3, 2.6),
    };
    const [shape, quadratic] = [3, 0.64 / 1.4 + 0.25 / 0.9 + 0.09 / 2];
    const rate = 2.6 - quadratic / 2;
    const [tau, logTau] = [shape / rate, digamma(shape) - Math.log(rate)];
    const rule = trapezoid(-12, 12, 2001);
    const expected = { linear: new Float64Array(3), precisions: new Float64Array(3) };
    let bound = 0;
    for (const u of [0, 1]) {
      const own = entries.filter(({ row }) => row === u);
      const logs = rule.points.map((x) => {
        let log = (Math.log(userPrecision / (2 * Math.PI)) - userPrecision * x * x) / 2;
        for (const { column: i, value: r } of own) {
          const m = global.linear[i] / global.precisions[i];
          // E[τ (r − x v)²] = τ (r − x m)² + x²/P
          log += (logTau - Math.log(2 * Math.PI) - tau * (r - x * m) ** 2 - (x * x) / global.precisions[i]) / 2;
        }
        return log;
      });
      const total = logIntegral(rule, logs);
      bound += total;
      const moment = (f: (x: number) => number): number =>
        rule.points.reduce((sum, x, q) => sum + Math.exp(logs[q] + rule.logWeights[q] - total) * f(x), 0);
      for (const { column: i, value: r } of own) {
        expected.linear[i] += r * moment((x) => x);
        expected.precisions[i] += moment((x) => x * x);
      }
    }
    const local = line.local(global, tiny);
    expect(local.bound).toBeCloseTo(bound, 10);
    for (const name of ["linear", "precisions"] as const) {
      local.statistics[name].forEach((value, i) => {
        expect(value).toBeCloseTo(expected[name][i], 10);
      });
    }
    const squares = entries.reduce((sum, { value }) => sum + value * value, 0);
    expect(local.statistics.noise[0]).toBe(2);
    expect(local.statistics.noise[1]).toBeCloseTo(squares / 2, 12);
    expect(line.noise(global).rate).toBeCloseTo(rate, 12);
    expect(line.itemFactors(global)[0]).toBeCloseTo(0.8 / 1.4, 14);
  });

  it("is the marginal Gaussian of a user's ratings where items and noise are known", () => {
    const v = [
      [0.9, -0.4],
      [0.2, 1.1],
      [0, 0],
    ];
    const [sharp, tau] = [1e9, 1.7];
    const quadratic = sharp * v.flat().reduce((sum, x) => sum + x * x, 0);
    const global = {
      linear: Float64Array.from(v.flat(), (x) => sharp * x),
      precisions: Float64Array.from({ length: 12 }, (_, i) => (i % 4 === 0 || i % 4 === 3 ? sharp : 0)),
      noise: Float64Array.of(1e7, 1e7 / tau + quadratic / 2),
    };
    const r = [1.2, -0.7];
    const one = sparseRowsOf({ size: 1, columns: 3, entries: entries.slice(0, 2) });
    // r ~ N(0, V Vᵀ/λ + I/τ)
    const inner = (a: number, b: number): number => (v[a][0] * v[b][0] + v[a][1] * v[b][1]) / userPrecision;
    const [a, b, c] = [inner(0, 0) + 1 / tau, inner(0, 1), inner(1, 1) + 1 / tau];
    const determinant = a * c - b * b;
    const quadraticForm = (c * r[0] ** 2 - 2 * b * r[0] * r[1] + a * r[1] ** 2) / determinant;
    const exact = -Math.log(2 * Math.PI) - (Math.log(determinant) + quadraticForm) / 2;
    expect(plane.local(global, one).bound).toBeCloseTo(exact, 5);
    // E[u] = Cov(u, r) Var(r)⁻¹ r
    const [x, y] = [(c * r[0] - b * r[1]) / determinant, (a * r[1] - b * r[0]) / determinant];
    const means = plane.userFactors(global, one);
    for (const d of [0, 1]) expect(means[d]).toBeCloseTo((v[0][d] * x + v[1][d] * y) / userPrecision, 5);
  });

  it("has the KL of one Normal–Gamma over all items", () => {
    const [q, p] = [plane.start(randomKey(2)), plane.prior];
    q.precisions.set([2, 0.3, 0.3, 1], 4);
    const other = { ...plane.start(randomKey(3)), noise: Float64Array.of(4, 6) };
    other.precisions.set([1, -0.2, -0.2, 0.8], 0);
    const family = normalGammaFamily(6);
    /** All vectors as one, with a precision of blocks. */
    const joint = ({ linear, precisions, noise: [shape, squares] }: typeof q): Float64Array => {
      const natural = new Float64Array(family.size);
      natural.set(linear);
      for (let i = 0; i < 3; i++) {
        for (let d = 0; d < 2; d++) {
          for (let f = 0; f < 2; f++) natural[6 + (2 * i + d) * 6 + 2 * i + f] = -precisions[4 * i + 2 * d + f] / 2;
        }
      }
      natural[42] = -squares;
      natural[43] = shape + 3;
      return natural;
    };
    expect(plane.kl(q)).toBeCloseTo(klDivergence(family, joint(q), joint(p)), 11);
    expect(plane.kl(q, other)).toBeCloseTo(klDivergence(family, joint(q), joint(other)), 11);
    expect(plane.kl(p)).toBeCloseTo(0, 13);
  });

  it("never lowers the ELBO, and predicts ratings that were kept back far better than their mean", async () => {
    const { global, trace } = await cavi({ model, data: ratings, start, tolerance: 1e-6 });
    trace.slice(1).forEach(({ bound }, i) => {
      expect(bound).toBeGreaterThan(trace[i].bound - 1e-12 * Math.abs(bound));
    });
    const predicted = model.predictions(global, ratings, heldOut);
    const mean = ratings.values.reduce((a, b) => a + b) / ratings.values.length;
    const error = (guess: (e: number) => number): number =>
      Math.sqrt(heldOut.values.reduce((sum, r, e) => sum + (r - guess(e)) ** 2, 0) / heldOut.values.length);
    expect(error(() => mean)).toBeGreaterThan(1);
    expect(error((e) => predicted[e])).toBeLessThan(0.36);
    const { shape, rate } = model.noise(global);
    expect(Math.sqrt(rate / shape)).toBeGreaterThan(0.27);
    expect(Math.sqrt(rate / shape)).toBeLessThan(0.33);
  });

  it("with S = N and ρ = 1 is CAVI by SVI, to the bit, and by SVRG but for rounding; streams and minibatches come close", async () => {
    const data = sparseDataset(ratings);
    const all = { model, data, start, key: randomKey(3), batchSize: 80, rate: constant(1), steps: 4 };
    const batch = await cavi({ model, data: ratings, start, tolerance: 0, maxSteps: 4 });
    expect((await stochasticVariationalInference(all)).global).toEqual(batch.global);
    expect((await svrgVariationalInference(all)).bound).toBeCloseTo(batch.bound, 6);
    const optimum = (await cavi({ model, data: ratings, start, tolerance: 1e-6 })).bound;
    const elbo = (global: typeof start): number => model.local(global, ratings).bound - model.kl(global);
    const rate = robbinsMonro({ kappa: 0.7, tau: 5 });
    const svi = await stochasticVariationalInference({ ...all, batchSize: 10, rate, steps: 400 });
    const way = optimum - elbo(start);
    expect(way).toBeGreaterThan(1000);
    expect(elbo(svi.global)).toBeGreaterThan(optimum - 0.05 * way);
    const batches = [0, 1].map((b) => data.take(Int32Array.from({ length: 40 }, (_, i) => 2 * i + b)));
    const stream = await streaming({ model, batches, start });
    expect(elbo(stream.global)).toBeGreaterThan(optimum - 0.01 * way);
  });

  it("takes a user without ratings for what it is", () => {
    const global = plane.start(randomKey(2));
    const silent = sparseRowsOf({ size: 1, columns: 3, entries: [] });
    const { bound, statistics } = plane.local(global, silent);
    expect(bound).toBeCloseTo(0, 14);
    expect(statistics.noise).toEqual(new Float64Array(2));
    expect(plane.userFactors(global, silent)).toEqual(new Float64Array(2));
  });

  it("refuses what does not fit", () => {
    const make = (change: object) => () => matrixFactorisation({ rank: 2, items: 3, itemPrecision, noise, ...change });
    expect(make({ rank: 0 })).toThrow("rank must be a positive integer, not 0.");
    expect(make({ itemPrecision: 0 })).toThrow("itemPrecision must be positive and finite");
    expect(make({ userPrecision: -1 })).toThrow("userPrecision must be positive and finite");
    expect(make({ noise: { shape: 1, rate: 0 } })).toThrow("rate of the noise's precision must be positive");
    const global = plane.start(randomKey(2));
    expect(() => plane.local(global, ratings)).toThrow("the batch has 40 items, the model 3.");
    expect(() => plane.local(global, { ...tiny, size: 0 })).toThrow("the batch has no users");
    expect(() => plane.local(global, { ...tiny, values: Float64Array.of(1, Number.NaN, 1, 1) })).toThrow(
      "entry 1 of the batch is NaN; leave it out.",
    );
    expect(() => plane.predictions(global, tiny, ratings)).toThrow(
      "of the batch's 2 users and 3 items, not of 80 and 40.",
    );
    expect(() => plane.local({ ...global, noise: Float64Array.of(2, 0) }, tiny)).toThrow(
      "the shape and rate of q(τ) must be",
    );
    const negative = global.precisions.map((x) => -x);
    expect(() => plane.local({ ...global, precisions: negative }, tiny)).toThrow(
      "the precision of item 0 must be positive definite",
    );
  });
});
