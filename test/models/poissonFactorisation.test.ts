import { describe, expect, it } from "vitest";
import { sparseRowsOf } from "../../src/data/sparseRows.js";
import { logSumExp } from "../../src/diagnostics/logSumExp.js";
import { logIntegral, productRule, trapezoid } from "../../src/diagnostics/quadrature.js";
import { digamma, logGamma } from "../../src/diagnostics/specialFunctions.js";
import { randomKey } from "../../src/engine/random.js";
import { klDivergence } from "../../src/families/exponentialFamily.js";
import { gammaFamily } from "../../src/families/gammaFamily.js";
import { cavi } from "../../src/methods/cavi.js";
import { stochasticVariationalInference } from "../../src/methods/stochasticVariationalInference.js";
import { streaming } from "../../src/methods/streaming.js";
import { poissonFactorisation } from "../../src/models/poissonFactorisation.js";
import { uniforms } from "../../src/models/randomStart.js";
import { sparseDataset } from "../../src/models/sparseDataset.js";
import { robbinsMonro } from "../../src/optimize/robbinsMonro.js";
import { constant } from "../../src/optimize/schedules.js";

const dense = (rows: readonly (readonly number[])[]) =>
  sparseRowsOf({
    size: rows.length,
    columns: rows[0].length,
    entries: rows.flatMap((values, row) =>
      values.flatMap((value, column) => (value > 0 ? [{ row, column, value }] : [])),
    ),
  });
const users = { shape: 0.7, rate: 1.2 };
const itemPrior = { shape: 0.9, rate: 0.8 };
const tinyCounts = [
  [2, 0],
  [1, 3],
];
const tiny = dense(tinyCounts);
const model = poissonFactorisation({ components: 2, items: 2, users, itemPrior, tolerance: 1e-12, maxUpdates: 500 });

/** log ∫∫ Π_u Gamma(θ_u) Π_i Γ(c + z_.i) d^c / (Γ(c) (d + Σθ)^{c + z_.i}) Π θ_u^{z_u.}: one component's part of the evidence, its items integrated out. */
function componentEvidence(ofUsers: readonly number[], ofItems: readonly number[]): number {
  const rule = productRule(trapezoid(-22, 5, 90), trapezoid(-22, 5, 90)); // over log θ
  const logs = rule.logWeights.map((_, q) => {
    const t = [rule.points[2 * q], rule.points[2 * q + 1]];
    let log = 0;
    t.forEach((logTheta, u) => {
      log += users.shape * (Math.log(users.rate) + logTheta) - logGamma(users.shape) - users.rate * Math.exp(logTheta);
      log += ofUsers[u] * logTheta;
    });
    const rate = itemPrior.rate + Math.exp(t[0]) + Math.exp(t[1]);
    for (const n of ofItems) {
      log += itemPrior.shape * Math.log(itemPrior.rate) - logGamma(itemPrior.shape);
      log += logGamma(itemPrior.shape + n) - (itemPrior.shape + n) * Math.log(rate);
    }
    return log;
  });
  return logIntegral(rule, logs);
}

/** log p(y) of 2 × 2 counts and two components: every split of the counts, and a quadrature for each. */
function exactEvidence(y: readonly (readonly number[])[]): number {
  const [a, b, c, d] = y.flat();
  const known = new Map<string, number>();
  const component = (z: readonly number[]): number => {
    const [ofUsers, ofItems] = [
      [z[0] + z[1], z[2] + z[3]],
      [z[0] + z[2], z[1] + z[3]],
    ];
    const name = `${ofUsers} ${ofItems}`;
    if (!known.has(name)) known.set(name, componentEvidence(ofUsers, ofItems));
    return known.get(name)! - z.reduce((sum, n) => sum + logGamma(n + 1), 0);
  };
  const logs: number[] = [];
  for (let i = 0; i <= a; i++) {
    for (let j = 0; j <= b; j++) {
      for (let k = 0; k <= c; k++) {
        for (let l = 0; l <= d; l++) logs.push(component([i, j, k, l]) + component([a - i, b - j, c - k, d - l]));
      }
    }
  }
  return logSumExp(logs);
}

/** 60 users and 30 items of two kinds. */
const draws = uniforms(randomKey(8), 60 * 30);
const blocks = dense(
  Array.from({ length: 60 }, (_, u) =>
    Array.from({ length: 30 }, (_, i) => {
      const mean = u < 30 === i < 15 ? 1.5 : 0.1;
      let [count, left] = [0, draws[30 * u + i] - Math.exp(-mean)];
      for (let p = Math.exp(-mean); left > 0 && count < 20; left -= p) p *= mean / ++count;
      return count;
    }),
  ),
);
const big = poissonFactorisation({
  components: 3,
  items: 30,
  users: { shape: 0.3, rate: 1 },
  itemPrior: { shape: 0.3, rate: 1 },
});

describe("poissonFactorisation", () => {
  it("has an ELBO below log p(y) by enumeration and quadrature at every update of CAVI", async () => {
    const evidence = exactEvidence(tinyCounts);
    for (const seed of [1, 2, 3]) {
      const { trace, bound } = await cavi({ model, data: tiny, start: model.start(randomKey(seed)), tolerance: 1e-12 });
      for (const point of trace) expect(point.bound).toBeLessThan(evidence);
      expect(bound).toBeGreaterThan(evidence - 3);
    }
  });

  it("has the bound that q(z) and q(θ) written out give, hidden counts enumerated", () => {
    const global = model.start(randomKey(7));
    global.rates[0] = 1.7;
    const { bound, statistics, local } = model.local(global, tiny);
    const [q, prior] = [gammaFamily, gammaFamily.natural(users)];
    const of = (g: { shapes: Float64Array; rates: Float64Array }, row: number, k: number) =>
      q.natural({ shape: g.shapes[2 * row + k], rate: g.rates[k] });
    let total = 0;
    const given = { shapes: new Float64Array(4), rates: new Float64Array(2) };
    tinyCounts.forEach((row, u) => {
      for (const k of [0, 1]) {
        total -= klDivergence(q, of(local!, u, k), prior);
        given.rates[k] += q.mean(of(local!, u, k))[1];
      }
      row.forEach((y, i) => {
        const means = [0, 1].map((k) => [q.mean(of(local!, u, k)), q.mean(of(global, i, k))]);
        const logs = means.map(([theta, beta]) => theta[0] + beta[0]);
        const phi = logs.map((log) => Math.exp(log - logSumExp(logs)));
        for (let z = 0; z <= y; z++) {
          const split = [z, y - z];
          const logCoefficient = logGamma(y + 1) - logGamma(z + 1) - logGamma(y - z + 1);
          const logQ = logCoefficient + z * Math.log(phi[0]) + (y - z) * Math.log(phi[1]);
          const logP = split.reduce((sum, n, k) => sum + n * logs[k] - logGamma(n + 1), 0);
          total += Math.exp(logQ) * (logP - logQ);
        }
        for (const k of [0, 1]) {
          total -= means[k][0][1] * means[k][1][1];
          given.shapes[2 * i + k] += y * phi[k];
        }
      });
    });
    expect(bound).toBeCloseTo(total, 10);
    for (const name of ["shapes", "rates"] as const) {
      statistics[name].forEach((value, i) => {
        expect(value).toBeCloseTo(given[name][i], 10);
      });
    }
    const kl = [0, 1, 2, 3].reduce(
      (sum, i) => sum + klDivergence(q, of(global, i >> 1, i & 1), gammaFamily.natural(itemPrior)),
      0,
    );
    expect(model.kl(global)).toBeCloseTo(kl, 12);
  });

  it("has a local step that nothing near it beats", () => {
    const global = model.start(randomKey(7));
    const { bound, local } = model.local(global, tiny);
    // One coordinate update from another q(θ) is what maxUpdates = 1 gives; its bound is below the settled one.
    const hasty = poissonFactorisation({ components: 2, items: 2, users, itemPrior, maxUpdates: 1 });
    expect(hasty.local(global, tiny).bound).toBeLessThan(bound);
    // At the optimum the shapes are the prior's and the counts that φ gives.
    local!.shapes.forEach((shape, at) => {
      const [u, k] = [at >> 1, at & 1];
      const weight = (i: number, j: number): number =>
        Math.exp(
          digamma(local!.shapes[2 * u + j]) -
            Math.log(local!.rates[j]) +
            digamma(global.shapes[2 * i + j]) -
            Math.log(global.rates[j]),
        );
      const given = tinyCounts[u].reduce((sum, y, i) => sum + (y * weight(i, k)) / (weight(i, 0) + weight(i, 1)), 0);
      expect(shape).toBeCloseTo(users.shape + given, 8);
    });
  });

  it("goes on from an earlier q(θ) by q(z) at its rates, which other items had made", () => {
    // Items that are told apart, so that an even start is far off after one update.
    const global = { shapes: Float64Array.of(3, 0.1, 0.2, 4), rates: Float64Array.of(1, 1.3) };
    const settled = model.local(global, tiny).local!;
    const from = { shapes: settled.shapes, rates: Float64Array.of(1.3 * settled.rates[0], 0.8 * settled.rates[1]) };
    const hasty = poissonFactorisation({ components: 2, items: 2, users, itemPrior, maxUpdates: 1 });
    const { local } = hasty.local(global, tiny, from);
    const updated = (q: { readonly shapes: Float64Array; readonly rates: Float64Array }): Float64Array =>
      q.shapes.map((_, at) => {
        const [u, k] = [at >> 1, at & 1];
        const weight = (i: number, j: number): number =>
          Math.exp(digamma(q.shapes[2 * u + j]) + digamma(global.shapes[2 * i + j])) / (q.rates[j] * global.rates[j]);
        return (
          users.shape + tinyCounts[u].reduce((sum, y, i) => sum + (y * weight(i, k)) / (weight(i, 0) + weight(i, 1)), 0)
        );
      });
    const twice = updated({ shapes: updated(from), rates: settled.rates });
    local!.shapes.forEach((shape, at) => {
      expect(shape).toBeCloseTo(twice[at], 11);
    });
    expect(local!.rates).toEqual(settled.rates);
  });

  it.each([1, 2, 100])("never lowers the ELBO with %i updates of a user at a time", async (maxUpdates) => {
    const options = {
      components: 4,
      items: 30,
      users: { shape: 0.2, rate: 0.7 },
      itemPrior: { shape: 0.2, rate: 0.5 },
    };
    const hasty = poissonFactorisation({ ...options, maxUpdates });
    const { trace } = await cavi({
      model: hasty,
      data: blocks,
      start: hasty.start(randomKey(1)),
      tolerance: 0,
      maxSteps: 60,
    });
    expect(trace.length).toBeGreaterThan(20);
    trace.slice(1).forEach(({ bound }, i) => {
      expect(bound).toBeGreaterThan(trace[i].bound - 1e-12 * Math.abs(bound));
    });
    expect(trace[trace.length - 1].bound).toBeGreaterThan(trace[1].bound + 10);
  });

  it("finds the two kinds of users and items", async () => {
    const { global, local } = await cavi({ model: big, data: blocks, start: big.start(randomKey(2)) });
    const at = dense(Array.from({ length: 60 }, () => new Array<number>(30).fill(1)));
    const expected = big.expectedCounts(global, local!, at);
    const average = (same: boolean): number => {
      const picked = expected.filter((_, e) => (Math.floor(e / 30) < 30 === e % 30 < 15) === same);
      return picked.reduce((a, b) => a + b) / picked.length;
    };
    expect(Math.abs(average(true) - 1.5)).toBeLessThan(0.15);
    expect(average(false)).toBeLessThan(0.25);
    expect(big.userFactors(local!)).toHaveLength(180);
    expect(big.itemFactors(global)[4]).toBe(global.shapes[4] / global.rates[1]);
  });

  it("with S = N and ρ = 1 is CAVI that starts each user anew, to the bit; and comes close from minibatches", async () => {
    const start = big.start(randomKey(2));
    const options = { model: big, data: sparseDataset(blocks), start, key: randomKey(3) };
    const batch = await cavi({ model: big, data: blocks, start, tolerance: 0, maxSteps: 5, warmStart: false });
    const svi = await stochasticVariationalInference({ ...options, batchSize: 60, rate: constant(1), steps: 5 });
    expect(svi.global).toEqual(batch.global);
    const optimum = (await cavi({ model: big, data: blocks, start })).bound;
    const rate = robbinsMonro({ kappa: 0.7, tau: 10 });
    const small = await stochasticVariationalInference({ ...options, batchSize: 10, rate, steps: 400 });
    const elbo = (global: typeof start): number => big.local(global, blocks).bound - big.kl(global);
    expect(elbo(small.global)).toBeGreaterThan(optimum - 0.01 * Math.abs(optimum));
    expect(elbo(start)).toBeLessThan(optimum - 0.1 * Math.abs(optimum));
    const { take } = sparseDataset(blocks);
    const batches = [0, 1, 2].map((b) => take(Int32Array.from({ length: 20 }, (_, i) => 3 * i + b)));
    const stream = await streaming({ model: big, batches, start });
    expect(elbo(stream.global)).toBeGreaterThan(optimum - 0.1 * Math.abs(optimum));
  });

  it("visits the counts that are not 0, and no others", () => {
    // Reads of the values array are counted: the same number whether the matrix has 30 items or 30 000.
    const visits = (items: number): number => {
      const wide = poissonFactorisation({ components: 3, items, users, itemPrior, maxUpdates: 3 });
      let reads = 0;
      const values = new Proxy(blocks.values, {
        get: (target, name) => {
          if (typeof name === "string" && /^\d+$/.test(name)) reads++;
          return Reflect.get(target, name, target);
        },
      });
      wide.local(wide.start(randomKey(1)), { ...blocks, columns: items, values });
      return reads;
    };
    expect(visits(30)).toBe(3 * blocks.values.length);
    expect(visits(3000)).toBe(visits(30));
  });

  it("takes users without counts, and entries that are 0, for what they are", () => {
    const global = model.start(randomKey(7));
    const withZero = sparseRowsOf({
      size: 3,
      columns: 2,
      entries: [
        { row: 0, column: 0, value: 2 },
        { row: 0, column: 1, value: 0 },
        { row: 1, column: 0, value: 1 },
        { row: 1, column: 1, value: 3 },
      ],
    });
    const silent = sparseRowsOf({ size: 1, columns: 2, entries: [] });
    const [a, b, c] = [withZero, tiny, silent].map((batch) => model.local(global, batch));
    expect(a.bound).toBeCloseTo(b.bound + c.bound, 10);
    // log ∫ Gamma(θ) e^{−θ B} dθ = a log(b / (b + B)), for each component.
    const exact = [0, 1].reduce((sum, k) => {
      const total = (global.shapes[k] + global.shapes[2 + k]) / global.rates[k];
      return sum + users.shape * Math.log(users.rate / (users.rate + total));
    }, 0);
    expect(c.bound).toBeCloseTo(exact, 11);
  });

  it("refuses what does not fit", () => {
    const make = (change: object) => () =>
      poissonFactorisation({ components: 2, items: 2, users, itemPrior, ...change });
    expect(make({ components: 0 })).toThrow("components must be an integer from 1 to 500, not 0.");
    expect(make({ items: 1.5 })).toThrow("items must be a positive integer, not 1.5.");
    expect(make({ tolerance: 0 })).toThrow("the tolerance must be positive and finite");
    expect(make({ users: { shape: 0, rate: 1 } })).toThrow("the shape of users must be positive and finite");
    expect(make({ itemPrior: { shape: 1, rate: -1 } })).toThrow("the rate of itemPrior must be positive");
    const global = model.start(randomKey(1));
    expect(() => model.local(global, blocks)).toThrow("the batch has 30 items, the model 2.");
    expect(() => model.local(global, { ...tiny, size: 0 })).toThrow("the batch has no users");
    expect(() => model.local(global, { ...tiny, values: Float64Array.of(1, 0.5, 1) })).toThrow(
      "entry 1 of the batch is 0.5, but must be a count.",
    );
    const { local } = model.local(global, tiny);
    expect(() => model.local(global, dense([[1, 1]]), local)).toThrow("is of 2 users, not of these 1.");
    expect(() => model.expectedCounts(global, local!, dense([[1, 1]]))).toThrow(
      "of the 2 users of q(θ) and 2 items, not of 1",
    );
    expect(() => model.local({ ...global, rates: Float64Array.of(1, -1) }, tiny)).toThrow(
      /the bound of user 0 of the batch is/,
    );
  });
});
