import { breathe } from "../engine/interrupt.js";
import { foldIn, type Key, permutation } from "../engine/random.js";
import {
  type ConjugateModel,
  checkFiniteGlobal,
  copyOf,
  type Dataset,
  finiteBound,
  globalStep,
  type NaturalParameters,
} from "../models/conjugateModel.js";
import { checkTableSize, fixedBatches, statisticsTable } from "./statisticsTable.js";

/** One point of the trace of {@link memoisedVariationalInference}: a row of a table. */
export type MemoisedPoint = {
  /** Batches visited so far, with repetitions. */
  readonly visit: number;
  /** Data seen so far, with repetitions, over N. */
  readonly passes: number;
  /** Data whose statistics q(θ) rests on: N once the first pass is done. */
  readonly size: number;
  /** The ELBO of those data, exact, at q(θ) and at the q(ξ) of each batch's last visit. */
  readonly bound: number;
  /** Seconds since the start, without those of `onProgress`. */
  readonly seconds: number;
};

/** Options of {@link memoisedVariationalInference}. */
export interface MemoisedOptions<G extends NaturalParameters, Batch, Local> {
  readonly model: ConjugateModel<G, Batch, Local>;
  readonly data: Dataset<Batch>;
  /** S, 1 to N: the data are cut once, at random, into ⌈N/S⌉ batches whose sizes differ by at most one. */
  readonly batchSize: number;
  /** Passes through the data at most. Default 100. */
  readonly passes?: number;
  /** Where q(θ) starts: a `start(key, …)` of the model, or its prior where nothing has to break a symmetry. */
  readonly start: G;
  /** Cuts the data, and gives each pass its order of batches. */
  readonly key: Key;
  /** Stops when a pass raises the ELBO by less than this share of the terms that it is the difference of, Σ_b |local bound| + KL. Default 1e-8. */
  readonly tolerance?: number;
  /** Visits between two points of the trace, which always has the end of a pass. Default: only those. */
  readonly traceEvery?: number;
  /** Called at every point of the trace; what it returns is awaited. */
  readonly onProgress?: (point: MemoisedPoint, global: G) => void | Promise<void>;
}

/** What {@link memoisedVariationalInference} returns. */
export interface MemoisedResult<G extends NaturalParameters, Local> {
  /** The natural parameters of q(θ), `prior + Σ_b statistics[b]`. */
  readonly global: G;
  /** The ELBO there and at the q(ξ) of each batch's last visit. */
  readonly bound: number;
  /** The rows of each batch. */
  readonly batches: readonly Int32Array[];
  /** The statistics of each batch at its last visit. */
  readonly statistics: readonly G[];
  /** q(ξ) of each batch, undefined where the model's local step has no iterations. */
  readonly local: readonly (Local | undefined)[];
  readonly trace: readonly MemoisedPoint[];
  /** Batches visited, with repetitions. */
  readonly visits: number;
  readonly stoppedBecause: "converged" | "all passes taken";
}

/**
 * Memoised variational inference: the statistics s_b of every batch are remembered, a visit of a batch replaces its own, and `γ = prior + Σ_b s_b` after every visit, without
 * a learning rate.
 *
 * Each visit is coordinate ascent, on q(ξ) of the batch and then on q(θ), so the ELBO never falls, while q(θ) moves ⌈N/S⌉ times a pass; with one batch it is CAVI, to
 * the bit. In the first pass, batches that were not visited yet add nothing to γ. It keeps the statistics of every batch: ⌈N/S⌉ times the memory of γ.
 *
 * The ELBO in the trace is exact, at the local variables as they are, not as a new local step would make them. For q(ξ) held fixed a batch's bound is linear in the mean parameters of
 * q(θ), whose differences are differences of KLs, `⟨s, m(γ) − m(γ')⟩ = KL(γ ‖ p) − KL(γ ‖ p + s) − KL(γ' ‖ p) + KL(γ' ‖ p + s)`; so the bounds of all visits are brought to one
 * reference r, where `ELBO = Σ_b bound_b(r) − KL(r ‖ prior) + KL(r ‖ γ)`, γ being the optimum given all q(ξ). That takes three KLs a visit. A reference far from γ costs digits, as a vague
 * start would be: r is the start in the first pass and γ as it was after 1, 2, 4, 8, … passes from then on, which takes a KL for each batch. What a far start has taken from the bounds of the
 * first pass itself comes back with each batch's second visit.
 *
 * @throws RangeError if S, `passes`, `tolerance` or `traceEvery` is out of range, the table would have more than 2²⁷ numbers, or a natural parameter or the bound is not finite; Error if the ELBO
 *   falls after the first pass by more than 1e-9 of the terms that it is the difference of, local bounds and KLs; as the model does.
 * Source: Hughes & Sudderth 2013, "Memoized online variational inference for Dirichlet process mixture models", section 3; Neal & Hinton 1998, "A view of the EM algorithm that justifies
 *   incremental, sparse, and other variants".
 */
export async function memoisedVariationalInference<G extends NaturalParameters, Batch, Local>(
  options: MemoisedOptions<G, Batch, Local>,
): Promise<MemoisedResult<G, Local>> {
  const where = "memoisedVariationalInference";
  const { model, data, batchSize, passes = 100, key, tolerance = 1e-8, traceEvery, onProgress } = options;
  const { prior } = model;
  check(where, { passes, ...(traceEvery !== undefined && { traceEvery }) }, tolerance);
  const batches = fixedBatches(where, key, data.size, batchSize);
  const B = batches.length;
  const remedy = "take larger batches, or stochasticVariationalInference, which keeps none";
  checkTableSize(where, { batches: B, like: options.start, copies: 1, remedy });
  checkFiniteGlobal(`${where}: the start`, options.start);
  let began = performance.now();
  let reference = copyOf(options.start);
  let klOfReference = model.kl(reference, prior);
  const table = statisticsTable(B, reference);
  const local = new Array<Local | undefined>(B).fill(undefined);
  // For q(ξ) held fixed, bound_b(γ) is an intercept and KL(γ ‖ prior) − KL(γ ‖ prior + s_b).
  const intercepts = new Float64Array(B);
  const slopes = new Float64Array(B); // the second part, at the reference
  const terms = new Float64Array(B); // absolute numbers that the intercept was computed from
  let global = copyOf(options.start);
  let [visit, seen, known] = [0, 0, 0];

  /** Of a batch alone, prior + s is a q(θ) too. */
  const withPrior = (statistics: G): G => globalStep({ global: prior, prior, statistics, scale: 1, rate: 1 });
  const visitBatch = (b: number): void => {
    const batch = B === 1 ? data.all : data.take(batches[b]);
    if (!table.parts[b]) known += batches[b].length;
    const step = model.local(global, batch, local[b]);
    const alone = withPrior(step.statistics);
    const [all, own] = [model.kl(global, prior), model.kl(global, alone)];
    intercepts[b] = step.bound - (all - own);
    slopes[b] = klOfReference - model.kl(reference, alone);
    terms[b] = Math.abs(step.bound) + Math.abs(all) + Math.abs(own);
    local[b] = step.local;
    table.replace(b, step.statistics);
    visit += 1;
    seen += batches[b].length;
    if (visit % B === 0) table.renew();
    global = withPrior(table.sum());
  };
  const refer = async (): Promise<void> => {
    reference = copyOf(global);
    klOfReference = model.kl(reference, prior);
    for (const [b, statistics] of table.parts.entries()) {
      await breathe();
      if (statistics) slopes[b] = klOfReference - model.kl(reference, withPrior(statistics));
    }
  };
  const trace: MemoisedPoint[] = [];
  /** Σ_b |bound_b| + KL at the last point, and the same with all that rounding may have come from. */
  let [size, rounded] = [0, 0];
  const record = async (): Promise<void> => {
    checkFiniteGlobal(`${where}: after ${visit} visits`, global);
    if (visit % B === 0 && Number.isInteger(Math.log2(visit / B))) await refer();
    let sum = 0;
    let parts = 0;
    for (let b = 0; b < B; b++) {
      sum += intercepts[b] + slopes[b];
      parts += Math.abs(intercepts[b] + slopes[b]);
    }
    const moved = model.kl(reference, global);
    const bound = finiteBound(`${where}: after ${visit} visits`, sum - klOfReference + moved);
    size = parts + Math.abs(klOfReference) + Math.abs(moved);
    const before = rounded;
    rounded = terms.reduce((total, term) => total + term, size);
    const last = trace.at(-1);
    if (last && last.visit >= B && bound - last.bound < -1e-9 * Math.max(before, rounded)) {
      throw new Error(
        `${where}: the ELBO fell from ${last.bound} to ${bound} by visit ${visit}: the model's local bound, statistics and KL do not belong together.`,
      );
    }
    const paused = performance.now();
    const point = { visit, passes: seen / data.size, size: known, bound, seconds: (paused - began) / 1000 };
    trace.push(point);
    await onProgress?.(point, global);
    began += performance.now() - paused;
  };

  let stoppedBecause: MemoisedResult<G, Local>["stoppedBecause"] = "all passes taken";
  let before: MemoisedPoint | undefined;
  for (let pass = 0; pass < passes; pass++) {
    for (const b of permutation(foldIn(key, pass), B)) {
      await breathe();
      visitBatch(b);
      if (visit % B === 0 || (traceEvery !== undefined && visit % traceEvery === 0)) await record();
    }
    const now = trace[trace.length - 1];
    if (before && Math.abs(now.bound - before.bound) <= tolerance * size) {
      stoppedBecause = "converged";
      break;
    }
    before = now;
  }
  const { bound } = trace[trace.length - 1];
  return {
    global,
    bound,
    batches,
    statistics: table.parts.filter((part) => part !== undefined),
    local,
    trace,
    visits: visit,
    stoppedBecause,
  };
}

function check(where: string, counts: Readonly<Record<string, number>>, tolerance: number): void {
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${where}: ${name} must be a positive integer, not ${count}.`);
  }
  if (!(tolerance >= 0)) throw new RangeError(`${where}: the tolerance must be ≥ 0, not ${tolerance}.`);
}
