import { afterEach, describe, expect, it } from "vitest";
import { digamma } from "../../src/diagnostics/specialFunctions.js";
import { foldIn, permutation, randomKey } from "../../src/engine/random.js";
import { dirichletFamily } from "../../src/families/dirichletFamily.js";
import { klDivergence } from "../../src/families/exponentialFamily.js";
import { expectedLogDensity, normalWishartFamily } from "../../src/families/normalWishartFamily.js";
import { cavi } from "../../src/methods/cavi.js";
import { type MemoisedPoint, memoisedVariationalInference } from "../../src/methods/memoisedVariationalInference.js";
import { type ConjugateModel, type NaturalParameters, rowsDataset, rowsOf } from "../../src/models/conjugateModel.js";
import { corpusDataset } from "../../src/models/corpusDataset.js";
import { gaussianMean } from "../../src/models/gaussianMean.js";
import type { MixtureGlobal } from "../../src/models/gaussianMixture.js";
import {
  type LdaGlobal,
  type LdaLocal,
  latentDirichletAllocation,
} from "../../src/models/latentDirichletAllocation.js";
import { uniforms } from "../../src/models/randomStart.js";
import { fortyDocuments, inOtherUnits, mixture, threeClusters } from "./conjugate.js";

const interrupt = Symbol.for("marginalia.interrupt");
afterEach(() => {
  delete (globalThis as Record<symbol, unknown>)[interrupt];
});

const points = threeClusters(1, 90);
const data = rowsDataset(points);
const start = mixture.start(randomKey(4), points);
const key = randomKey(12);

/** The model, whose last local step on each batch (told by its size and first number) is kept. */
function remembering<G extends NaturalParameters, Batch, Local, M extends ConjugateModel<G, Batch, Local>>(
  model: M & ConjugateModel<G, Batch, Local>,
  name: (batch: Batch) => string,
): { model: M; steps: Map<string, { global: G; batch: Batch; local: Local | undefined }> } {
  const steps = new Map<string, { global: G; batch: Batch; local: Local | undefined }>();
  const watched = {
    ...model,
    local: (global: G, batch: Batch, from?: Local) => {
      const step = model.local(global, batch, from);
      steps.set(name(batch), { global, batch, local: step.local });
      return step;
    },
  };
  return { model: watched, steps };
}

/** Σ_i Σ_k r_ik (E log π_k + E log N(x_i; k) − log r_ik) − KL at q(θ), with r of other q(θ)s. */
function mixtureElbo(
  global: MixtureGlobal,
  parts: Iterable<{ readonly global: MixtureGlobal; readonly batch: typeof points }>,
): number {
  const [weights, component] = [dirichletFamily(3), normalWishartFamily(2)];
  const logWeights = weights.mean(global.weights);
  const means = [0, 1, 2].map((k) =>
    component.mean(global.components.subarray(k * component.size, (k + 1) * component.size)),
  );
  let elbo = -mixture.kl(global);
  for (const { global: then, batch } of parts) {
    mixture.responsibilities(then, batch).forEach((r, at) => {
      const [i, k] = [Math.floor(at / 3), at % 3];
      if (r > 0) elbo += r * (logWeights[k] + expectedLogDensity(means[k], 2, batch.values, 2 * i) - Math.log(r));
    });
  }
  return elbo;
}

const lda = latentDirichletAllocation({ topics: 5, vocabulary: 25, alpha: 0.2, eta: 0.3 });

/** The ELBO of LDA at q(β), with the φ and q(θ) of other q(β)s. */
function ldaElbo(
  global: LdaGlobal,
  parts: Iterable<{
    readonly global: LdaGlobal;
    readonly batch: typeof fortyDocuments;
    readonly local: LdaLocal | undefined;
  }>,
): number {
  const K = 5;
  const simplex = dirichletFamily(K);
  const logsOf = ({ topics }: LdaGlobal): Float64Array => {
    const totals = Array.from({ length: K }, (_, k) =>
      digamma(topics.reduce((sum, value, at) => sum + (at % K === k ? value : 0), 0)),
    );
    return topics.map((value, at) => digamma(value) - totals[at % K]);
  };
  const now = logsOf(global);
  let elbo = -lda.kl(global);
  for (const { global: before, batch, local } of parts) {
    const then = logsOf(before);
    for (let d = 0; d < batch.size; d++) {
      const proportions = local!.proportions.slice(d * K, (d + 1) * K);
      const logTheta = simplex.mean(proportions);
      elbo -= klDivergence(simplex, proportions, new Float64Array(K).fill(0.2));
      for (let e = batch.offsets[d]; e < batch.offsets[d + 1]; e++) {
        const scores = logTheta.map((log, k) => Math.exp(log + then[batch.words[e] * K + k]));
        const total = scores.reduce((a, b) => a + b);
        scores.forEach((score, k) => {
          const share = score / total;
          elbo += batch.counts[e] * share * (logTheta[k] + now[batch.words[e] * K + k] - Math.log(share));
        });
      }
    }
  }
  return elbo;
}

/** The largest fall from a point to the next, over the ELBO's size. */
const falls = (trace: readonly MemoisedPoint[]): number =>
  Math.max(...trace.slice(1).map(({ bound }, i) => (trace[i].bound - bound) / Math.abs(bound)));

const discrepancy = (trace: readonly MemoisedPoint[], byHand: readonly number[]): number =>
  Math.max(...trace.map(({ bound }, i) => Math.abs(bound - byHand[i]) / Math.abs(byHand[i])));

describe("memoisedVariationalInference", () => {
  it("with one batch is CAVI to the bit, its ELBO between CAVI's before and after the local step", async () => {
    for (const steps of [1, 2, 7]) {
      const batch = await cavi({ model: mixture, data: points, start, tolerance: 0, maxSteps: steps });
      const run = await memoisedVariationalInference({
        model: mixture,
        data,
        batchSize: 90,
        passes: steps,
        start,
        key,
        tolerance: 0,
      });
      expect(run.global).toEqual(batch.global);
      run.trace.forEach(({ bound }, t) => {
        expect(bound).toBeGreaterThan(batch.trace[t].bound);
        expect(bound).toBeLessThan(batch.trace[t + 1].bound);
      });
    }
    const begun = lda.start(randomKey(1));
    const batch = await cavi({ model: lda, data: fortyDocuments, start: begun, tolerance: 0, maxSteps: 6 });
    const documents = corpusDataset(fortyDocuments);
    const run = await memoisedVariationalInference({
      model: lda,
      data: documents,
      batchSize: 40,
      passes: 6,
      start: begun,
      key,
      tolerance: 0,
    });
    expect(run.global).toEqual(batch.global);
  });

  it("never lowers the ELBO of a mixture from visit to visit, which is the one of its responsibilities as they stand", async () => {
    for (const seed of [4, 5, 6]) {
      const begun = mixture.start(randomKey(seed), points);
      const { model, steps } = remembering(mixture, (batch: typeof points) => `${batch.size} ${batch.values[0]}`);
      const byHand: number[] = [];
      const run = await memoisedVariationalInference({
        model,
        data,
        batchSize: 13,
        passes: 25,
        start: begun,
        key,
        tolerance: 0,
        traceEvery: 1,
        onProgress: (_, global) => void byHand.push(mixtureElbo(global, steps.values())),
      });
      expect(run.batches).toHaveLength(7);
      expect(byHand.length).toBeGreaterThanOrEqual(8 * 7);
      expect(discrepancy(run.trace, byHand)).toBeLessThan(1e-13);
      expect(falls(run.trace.slice(6))).toBeLessThan(1e-13);
      expect(run.bound - run.trace[6].bound).toBeGreaterThan(1);
      // A new local step everywhere can only raise it.
      const anew = mixture.local(run.global, points).bound - mixture.kl(run.global);
      expect(anew).toBeGreaterThan(run.bound - 1e-12 * Math.abs(run.bound));
    }
  });

  it("never lowers the ELBO of LDA from visit to visit, which is the one of its φ and q(θ) as they stand", async () => {
    const documents = corpusDataset(fortyDocuments);
    const name = ({ size, words, counts }: typeof fortyDocuments): string => `${size} ${words} ${counts}`;
    const { model, steps } = remembering(lda, name);
    const byHand: number[] = [];
    const run = await memoisedVariationalInference({
      model,
      data: documents,
      batchSize: 7,
      passes: 25,
      start: lda.start(randomKey(1)),
      key,
      tolerance: 0,
      traceEvery: 1,
      onProgress: (_, global) => void byHand.push(ldaElbo(global, steps.values())),
    });
    expect(byHand).toHaveLength(25 * 6);
    expect(discrepancy(run.trace, byHand)).toBeLessThan(1e-13);
    expect(falls(run.trace.slice(5))).toBeLessThan(1e-13);
    expect(run.batches).toHaveLength(6);
    expect(run.bound - run.trace[5].bound).toBeGreaterThan(10);
  });

  it("keeps γ the prior and the sum of its statistics, whose batches are all the data", async () => {
    const options = { model: mixture, data, batchSize: 13, start, key, tolerance: 0, passes: 12 };
    const { global, statistics, batches, visits, local } = await memoisedVariationalInference(options);
    expect(visits).toBe(84);
    for (const name of ["weights", "components"] as const) {
      const sum = new Float64Array(global[name].length);
      for (const part of statistics) for (let i = 0; i < sum.length; i++) sum[i] += part[name][i];
      expect(global[name]).toEqual(sum.map((value, i) => mixture.prior[name][i] + value));
    }
    expect([...batches.flatMap((rows) => [...rows])].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 90 }, (_, i) => i),
    );
    expect(batches.map((rows) => rows.length).every((n) => n === 12 || n === 13)).toBe(true);
    expect(local).toEqual(new Array(7).fill(undefined));
  });

  it("ends at a fixed point of CAVI, and says that it converged", async () => {
    const run = await memoisedVariationalInference({
      model: mixture,
      data,
      batchSize: 13,
      passes: 500,
      start,
      key,
      tolerance: 1e-15,
    });
    expect(run.stoppedBecause).toBe("converged");
    const next = await cavi({ model: mixture, data: points, start: run.global, tolerance: 0, maxSteps: 1 });
    const worst = Math.max(
      ...(["weights", "components"] as const).flatMap((name) =>
        [...next.global[name]].map((value, i) => Math.abs(value - run.global[name][i]) / (1 + Math.abs(value))),
      ),
    );
    expect(worst).toBeLessThan(1e-12);
    expect(Math.abs(next.bound - run.bound)).toBeLessThan(1e-13 * Math.abs(run.bound));
  });

  it("is exact after one pass where there are no local variables: γ and the evidence", async () => {
    const normal = gaussianMean({
      prior: { mean: Float64Array.of(1, -1), precision: Float64Array.of(2, 0.5, 0.5, 1) },
      noiseVariance: 0.7,
    });
    const run = await memoisedVariationalInference({
      model: normal,
      data,
      batchSize: 20,
      passes: 1,
      start: normal.prior,
      key,
    });
    const evidence = normal.logEvidence(points);
    expect(Math.abs(run.bound - evidence)).toBeLessThan(1e-13 * Math.abs(evidence));
    const exact = await cavi({ model: normal, data: points, start: normal.prior, maxSteps: 1 });
    run.global.mean.forEach((value, i) => {
      expect(Math.abs(value - exact.global.mean[i])).toBeLessThan(1e-13 * (1 + Math.abs(value)));
    });
    // After some batches alone it is the evidence of their data.
    const { batches } = run;
    const seen: MemoisedPoint[] = [];
    await memoisedVariationalInference({
      model: normal,
      data,
      batchSize: 20,
      passes: 1,
      start: normal.prior,
      key,
      traceEvery: 1,
      onProgress: (point) => void seen.push(point),
    });
    const order = permutation(foldIn(key, 0), batches.length);
    const visited: number[] = [];
    seen.forEach(({ visit, size, passes, bound }, i) => {
      visited.push(...batches[order[i]]);
      const partial = normal.logEvidence(data.take(Int32Array.from(visited)));
      expect([visit, size, passes]).toEqual([i + 1, visited.length, visited.length / 90]);
      expect(Math.abs(bound - partial)).toBeLessThan(1e-12 * Math.abs(partial));
    });
  });

  it("keeps the ELBO's digits from a vague prior as the start, near zero and far from it", async () => {
    const [n, variance, precision] = [5000, 0.01, 1e-8];
    const noise = uniforms(randomKey(31), n).map((u) => 0.6 * (u - 0.5));
    const normal = gaussianMean({
      prior: { mean: Float64Array.of(0), precision: Float64Array.of(precision) },
      noiseVariance: variance,
    });
    for (const [centre, digits] of [
      [0, 1e-12],
      [1e4, 1e-11],
    ]) {
      const values = noise.map((e) => centre + e);
      // Of the data's mean and of the squares about it.
      const mean = centre + values.reduce((sum, x) => sum + (x - centre), 0) / n;
      const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
      const spread = 1 / precision + variance / n;
      const evidence =
        -((n - 1) * Math.log(2 * Math.PI * variance) + Math.log(n) + squares / variance) / 2 -
        (Math.log(2 * Math.PI * spread) + mean ** 2 / spread) / 2;
      for (const batchSize of [5000, 700]) {
        const run = await memoisedVariationalInference({
          model: normal,
          data: rowsDataset(rowsOf(values, 1)),
          batchSize,
          start: normal.prior,
          key,
          tolerance: 1e-10,
          traceEvery: 1,
        });
        expect(run.stoppedBecause).toBe("converged");
        expect(Math.abs(run.bound - evidence)).toBeLessThan(digits * Math.abs(evidence));
        // From the end of the second pass on, whatever the first had lost.
        for (const { bound } of run.trace.slice(2 * run.batches.length - 1))
          expect(Math.abs(bound - evidence)).toBeLessThan(digits * Math.abs(evidence));
      }
    }
  });

  it("converges, and takes no rounding for a fall, where the ELBO is near zero", async () => {
    const options = { model: mixture, data, batchSize: 13, start, key };
    const converged = await memoisedVariationalInference({ ...options, passes: 300, tolerance: 1e-15 });
    const run = await memoisedVariationalInference({
      ...options,
      model: inOtherUnits(mixture, converged.bound / 90),
      passes: 300,
      tolerance: 1e-14,
      traceEvery: 1,
    });
    expect(Math.abs(run.bound)).toBeLessThan(1e-10);
    expect(run.stoppedBecause).toBe("converged");
    // Nor where it goes on at the optimum, however long.
    const on = { ...options, model: inOtherUnits(mixture, converged.bound / 90), tolerance: 0, start: run.global };
    expect((await memoisedVariationalInference({ ...on, passes: 40, traceEvery: 1 })).visits).toBeGreaterThan(7);
  });

  it("takes fewer passes than CAVI where CAVI is slow", async () => {
    const begun = mixture.start(randomKey(2), points);
    const options = { model: mixture, start: begun, tolerance: 1e-10 };
    const all = await cavi({ ...options, data: points });
    const run = await memoisedVariationalInference({ ...options, data, batchSize: 10, key });
    expect(Math.abs(run.bound - all.bound)).toBeLessThan(1e-6);
    expect(all.steps).toBeGreaterThan(3 * (run.visits / run.batches.length));
  });

  it("tells its progress, leaves the start alone, and gives the same numbers for the same key", async () => {
    const kept = structuredClone(start);
    const seen: number[] = [];
    const options = { model: mixture, data, batchSize: 30, passes: 4, start, key, tolerance: 0 };
    const run = await memoisedVariationalInference({
      ...options,
      traceEvery: 2,
      onProgress: ({ visit }) => void seen.push(visit),
    });
    expect(seen).toEqual([2, 3, 4, 6, 8, 9, 10, 12]);
    expect(run).toMatchObject({ visits: 12, stoppedBecause: "all passes taken" });
    expect(start).toEqual(kept);
    expect((await memoisedVariationalInference(options)).global).toEqual(run.global);
    expect((await memoisedVariationalInference({ ...options, key: randomKey(2) })).global).not.toEqual(run.global);
  });

  it("reports a model whose bound and statistics contradict each other", async () => {
    const flipped: typeof mixture = {
      ...mixture,
      local: (global, batch) => {
        const { statistics, bound } = mixture.local(global, batch);
        return { statistics, bound: -bound };
      },
    };
    const run = memoisedVariationalInference({ model: flipped, data, batchSize: 30, start, key });
    await expect(run).rejects.toThrow(/memoisedVariationalInference: the ELBO fell from .* do not belong together/);
  });

  it("refuses bad options in a sentence, and stops when the cell is interrupted", async () => {
    const options = { model: mixture, data, batchSize: 30, start, key };
    const run = (changed: Partial<Parameters<typeof memoisedVariationalInference>[0]>): Promise<unknown> =>
      memoisedVariationalInference({ ...options, ...(changed as Partial<typeof options>) });
    await expect(run({ batchSize: 0 })).rejects.toThrow(
      "memoisedVariationalInference: batchSize must be an integer from 1 to the 90 data, not 0.",
    );
    await expect(run({ batchSize: 91 })).rejects.toThrow("not 91");
    await expect(run({ passes: 0 })).rejects.toThrow("passes must be a positive integer, not 0");
    await expect(run({ traceEvery: 1.5 })).rejects.toThrow("traceEvery must be a positive integer, not 1.5");
    await expect(run({ tolerance: -1 })).rejects.toThrow("tolerance must be ≥ 0, not -1");
    const long = { ...start, weights: new Float64Array(2 ** 21) };
    await expect(run({ start: long, batchSize: 1 })).rejects.toThrow(
      /^memoisedVariationalInference: a table of the statistics of 90 batches would have \d+ numbers, more than 134217728; take larger batches, or stochasticVariationalInference/,
    );
    const broken = { ...start, weights: Float64Array.of(1, Number.NaN, 1) };
    await expect(run({ start: broken })).rejects.toThrow(
      'memoisedVariationalInference: the start: natural parameter 1 of "weights" is NaN',
    );
    (globalThis as Record<symbol, unknown>)[interrupt] = AbortSignal.abort();
    await expect(run({})).rejects.toThrow("interrupted");
  });
});
