import { afterEach, describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { addObservation, normalWishartFamily } from "../../src/families/normalWishartFamily.js";
import { cavi } from "../../src/methods/cavi.js";
import { collapsedMixture } from "../../src/methods/collapsedMixture.js";
import { type Rows, rowsOf } from "../../src/models/conjugateModel.js";
import { exactMixtureAssignments } from "../../src/models/exactMixtureAssignments.js";
import { gaussianMixture } from "../../src/models/gaussianMixture.js";

const interrupt = Symbol.for("marginalia.interrupt");
afterEach(() => {
  delete (globalThis as Record<symbol, unknown>)[interrupt];
});

const line = { mean: Float64Array.of(0), meanPrecision: 0.1, inverseScale: Float64Array.of(1), degrees: 3 };
const plane = {
  mean: Float64Array.of(0, 0),
  meanPrecision: 0.05,
  inverseScale: Float64Array.of(1, 0, 0, 1),
  degrees: 4,
};
const overlapping = rowsOf([-1.2, -0.9, -0.4, 0.1, 0.8, 1.3, 2.2, 2.6, 2.9], 1);
const apart = rowsOf([-4, -3.6, -3.1, -4.4, 3.2, 3.9, 4.1, 4.6], 1);
const three = rowsOf([-4, -3.6, -3.1, 0.2, 0.5, 3.2, 3.9], 1);
const points = rowsOf([-2, 0, -2.3, 0.6, -1.6, -0.2, 2.1, 1.4, 1.8, 0.7, 2.6, 1.1, 0.3, 0.2], 2);
const cases = [
  { data: overlapping, K: 2, prior: line },
  { data: apart, K: 2, prior: line },
  { data: three, K: 3, prior: line },
  { data: points, K: 2, prior: plane },
].map(({ data, K, prior }) => ({
  data,
  K,
  model: gaussianMixture({ components: K, concentration: 1, prior }),
}));

/** Root mean square, over pairs of points, of q(z_i = z_j) − p(z_i = z_j | x). */
function pairError(shares: Float64Array, K: number, together: Float64Array): number {
  const N = shares.length / K;
  let total = 0;
  for (let i = 0; i < N; i++)
    for (let j = 0; j < i; j++) {
      let own = 0;
      for (let k = 0; k < K; k++) own += shares[i * K + k] * shares[j * K + k];
      total += (own - together[i * N + j]) ** 2;
    }
  return Math.sqrt((2 * total) / (N * (N - 1)));
}

/** φ of point i by the definition, with normalisers of natural parameters: independent of the Student t and of moves. */
function updated(model: (typeof cases)[number]["model"], data: Rows, phi: Float64Array, i: number): Float64Array {
  const { components: K, dimension: D, prior } = model;
  const family = normalWishartFamily(D);
  const values = Float64Array.from({ length: K }, (_, k) => {
    const natural = prior.components.slice(k * family.size, (k + 1) * family.size);
    let count = prior.weights[k];
    for (let j = 0; j < data.size; j++) {
      if (j === i) continue;
      count += phi[j * K + k];
      addObservation(natural, 0, D, data.values, j * D, phi[j * K + k]);
    }
    const before = family.logNormaliser(natural);
    addObservation(natural, 0, D, data.values, i * D, 1);
    return count * Math.exp(family.logNormaliser(natural) - before);
  });
  const total = values.reduce((a, b) => a + b);
  return values.map((value) => value / total);
}

describe("collapsedMixture", () => {
  it("orders log p > the exact collapsed optimum ≥ the collapsed bound of VB's q(z) ≥ VB's optimum", async () => {
    for (const { data, model } of cases) {
      const exact = exactMixtureAssignments(model, data);
      const plain = await cavi({ model, data, start: model.start(randomKey(2), data), tolerance: 1e-13 });
      const { trace } = exact.climb(model.responsibilities(plain.global, data));
      for (let t = 1; t < trace.length; t++) expect(trace[t]).toBeGreaterThanOrEqual(trace[t - 1] - 1e-12);
      // Equal to rounding where VB's q(z) is certain: then nothing was lost by keeping q(π, μ, Λ).
      expect(trace[0]).toBeGreaterThan(plain.bound - 1e-12);
      if (data !== apart) expect(trace[0]).toBeGreaterThan(plain.bound + 1e-4);
      expect(trace[trace.length - 1]).toBeGreaterThan(trace[0]);
      expect(exact.logEvidence).toBeGreaterThan(trace[trace.length - 1] + 1e-3);
    }
  });

  it("ends on these data where the collapsed bound is above VB's, most of the way to its optimum, and nearer to which points belong together", async () => {
    for (const { data, K, model } of cases) {
      const exact = exactMixtureAssignments(model, data);
      const key = randomKey(2);
      const plain = await cavi({ model, data, start: model.start(key, data), tolerance: 1e-13 });
      const shares = model.responsibilities(plain.global, data);
      const run = await collapsedMixture({ model, data, key, tolerance: 1e-10 });
      expect(run.stoppedBecause).toBe("converged");
      const own = exact.bound(run.responsibilities);
      const optimum = exact.climb(run.responsibilities).trace.at(-1)!;
      expect(optimum - own).toBeLessThan(0.3 * (optimum - plain.bound));
      expect(pairError(run.responsibilities, K, exact.together)).toBeLessThan(pairError(shares, K, exact.together));
    }
  });

  it("raises no bound: from the exact collapsed optimum it moves to a fixed point of its own, below", async () => {
    const { data, model } = cases[0];
    const exact = exactMixtureAssignments(model, data);
    const start = exact.climb(model.responsibilities(model.start(randomKey(2), data), data)).shares;
    const run = await collapsedMixture({ model, data, key: randomKey(2), start });
    expect(run.stoppedBecause).toBe("converged");
    expect(exact.bound(run.responsibilities)).toBeLessThan(exact.bound(start) - 0.01);
  });

  it("updates every point, in turn, by the expected statistics of all others as they are then", async () => {
    for (const { data, K, model } of cases) {
      const phi = Float64Array.from({ length: data.size * K }, (_, at) => 1 + ((at * 7) % 5));
      for (let i = 0; i < data.size; i++) {
        const total = phi.subarray(i * K, (i + 1) * K).reduce((a, b) => a + b);
        for (let k = 0; k < K; k++) phi[i * K + k] /= total;
      }
      const run = await collapsedMixture({ model, data, key: randomKey(1), start: phi, maxSweeps: 2, tolerance: 0 });
      for (let sweep = 0; sweep < 2; sweep++)
        for (let i = 0; i < data.size; i++) phi.set(updated(model, data, phi, i), i * K);
      run.responsibilities.forEach((share, at) => {
        expect(share).toBeCloseTo(phi[at], 10);
      });
    }
  });

  it("is the exact conditional p(z_i | x, z of the others) where the others are certain", async () => {
    const { data, K, model } = cases[3];
    const exact = exactMixtureAssignments(model, data);
    const start = Float64Array.from({ length: data.size * K }, (_, at) => Number(at % K === (at >> 1) % 2));
    let first: Float64Array | undefined;
    await collapsedMixture({
      model,
      data,
      key: randomKey(1),
      start: Float64Array.from(start),
      maxSweeps: 1,
      onProgress: (_, state) => {
        first = state().responsibilities.slice(0, K);
      },
    });
    // The bound at a certain q(z) is log p(x, z).
    const logs = [0, 1].map((k) => {
      const certain = Float64Array.from(start);
      certain.set([1 - k, k]);
      return exact.bound(certain);
    });
    expect(first![0]).toBeCloseTo(1 / (1 + Math.exp(logs[1] - logs[0])), 11);
  });

  it("keeps its digits far from zero, and where one component holds a point that nothing else explains", async () => {
    const { data, K, model } = cases[3];
    const near = await collapsedMixture({ model, data, key: randomKey(2) });
    const shift = 2 ** 20;
    const moved = gaussianMixture({
      components: K,
      concentration: 1,
      prior: { ...plane, mean: Float64Array.of(shift, shift), inverseScale: Float64Array.of(1, 0, 0, 1) },
    });
    const far = await collapsedMixture({
      model: moved,
      data: rowsOf(
        data.values.map((value) => value + shift),
        2,
      ),
      key: randomKey(2),
    });
    // The prior alone passes through natural parameters, which hold its inverse scale beside m² = 2⁴⁰.
    far.responsibilities.forEach((share, at) => {
      expect(share).toBeCloseTo(near.responsibilities[at], 3);
    });
    // Taking 1e8 from a component's squares would leave no digit of them; the first point is updated first, from the start.
    const outlier = rowsOf([1e8, ...apart.values], 1);
    const start = Float64Array.from({ length: 18 }, (_, at) => Number(at % 2 === (at < 10 ? 0 : 1)));
    const wide = cases[1].model;
    const run = await collapsedMixture({ model: wide, data: outlier, key: randomKey(3), start, maxSweeps: 1 });
    const expected = updated(wide, outlier, start, 0);
    expect(Math.min(...expected)).toBeGreaterThan(0.1);
    expect(run.responsibilities[0]).toBeCloseTo(expected[0], 9);
  });

  it("returns the global parameters that its φ say, reports every sweep, and repeats itself to the bit", async () => {
    const { data, K, model } = cases[0];
    const options = { model, data, key: randomKey(4), maxSweeps: 6, tolerance: 0 };
    const seen: number[] = [];
    const states: Float64Array[] = [];
    const run = await collapsedMixture({
      ...options,
      onProgress: ({ sweep }, state) => {
        seen.push(sweep);
        states.push(state().responsibilities);
      },
    });
    expect(run.stoppedBecause).toBe("all sweeps made");
    expect(run.sweeps).toBe(6);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(states[5]).toEqual(run.responsibilities);
    expect(states[0]).not.toEqual(run.responsibilities);
    const { concentration, components } = model.parameters(run.global);
    for (let k = 0; k < K; k++) {
      const shares = run.responsibilities.filter((_, at) => at % K === k);
      const count = shares.reduce((a, b) => a + b);
      expect(concentration[k]).toBeCloseTo(1 + count, 11);
      expect(components[k].mean[0]).toBeCloseTo(
        shares.reduce((sum, share, i) => sum + share * data.values[i], 0) / (line.meanPrecision + count),
        11,
      );
    }
    expect((await collapsedMixture(options)).responsibilities).toEqual(run.responsibilities);
  });

  it("refuses bad options in a sentence, and stops when the cell is interrupted", async () => {
    const { data, model } = cases[0];
    const options = { model, data, key: randomKey(4) };
    await expect(collapsedMixture({ ...options, data: points })).rejects.toThrow("not 7 points of 2");
    await expect(collapsedMixture({ ...options, tolerance: -1 })).rejects.toThrow("tolerance must be ≥ 0, not -1");
    await expect(collapsedMixture({ ...options, maxSweeps: 0 })).rejects.toThrow(
      "maxSweeps must be a positive integer",
    );
    await expect(collapsedMixture({ ...options, start: Float64Array.of(1) })).rejects.toThrow(
      "2 shares for each of 9 points",
    );
    await expect(collapsedMixture({ ...options, start: new Float64Array(18) })).rejects.toThrow("shares of point 0");
    await expect(collapsedMixture({ ...options, data: rowsOf([1], 1) })).rejects.toThrow("there are 1");
    const broken = { values: Float64Array.of(1, Number.NaN), size: 2, columns: 1 };
    await expect(collapsedMixture({ ...options, data: broken })).rejects.toThrow("row 1, column 0 is NaN");
    (globalThis as Record<symbol, unknown>)[interrupt] = AbortSignal.abort();
    await expect(collapsedMixture(options)).rejects.toThrow("interrupted");
  });
});
