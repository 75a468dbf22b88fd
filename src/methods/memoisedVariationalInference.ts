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
import { fixedBatches, statisticsTable } from "./statisticsTable.js";

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
  /** Stops when a pass raises the ELBO by less than this share of its size. Default 1e-8. */
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
 * reference r, the start, where `ELBO = Σ_b bound_b(r) − KL(r ‖ prior) + KL(r ‖ γ)`, γ being the optimum given all q(ξ). That takes three KLs a visit.
 *
 * @throws RangeError if S, `passes`, `tolerance` or `traceEvery` is out of range, or a natural parameter or the bound is not finite; Error if the ELBO falls by more than 1e-9
 *   of its size after the first pass; as the model does.
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
  checkFiniteGlobal(`${where}: the start`, options.start);
  let began = performance.now();
  const reference = copyOf(options.start);
  const klOfReference = model.kl(reference, prior);
  const table = statisticsTable(B, reference);
  const local = new Array<Local | undefined>(B).fill(undefined);
  const bounds = new Float64Array(B); // bound_b at the reference
  let global = copyOf(options.start);
  let [visit, seen, size] = [0, 0, 0];

  const visitBatch = (b: number): void => {
    const batch = B === 1 ? data.all : data.take(batches[b]);
    if (!table.parts[b]) size += batches[b].length;
    const step = model.local(global, batch, local[b]);
    // Σ_b s_b is γ − prior; of a batch alone, prior + s is a q(θ) too.
    const alone = globalStep({ global, prior, statistics: step.statistics, scale: 1, rate: 1 });
    const here = model.kl(global, prior) - model.kl(global, alone);
    bounds[b] = step.bound + (klOfReference - model.kl(reference, alone)) - here;
    local[b] = step.local;
    table.replace(b, step.statistics);
    visit += 1;
    seen += batches[b].length;
    if (visit % B === 0) table.renew();
    global = globalStep({ global, prior, statistics: table.sum(), scale: 1, rate: 1 });
  };
  const trace: MemoisedPoint[] = [];
  const record = async (): Promise<void> => {
    checkFiniteGlobal(`${where}: after ${visit} visits`, global);
    const total = bounds.reduce((sum, value) => sum + value, 0);
    const bound = finiteBound(`${where}: after ${visit} visits`, total - klOfReference + model.kl(reference, global));
    const last = trace.at(-1);
    if (last && last.visit >= B && bound - last.bound < -1e-9 * Math.abs(last.bound)) {
      throw new Error(
        `${where}: the ELBO fell from ${last.bound} to ${bound} by visit ${visit}: the model's local bound, statistics and KL do not belong together.`,
      );
    }
    const paused = performance.now();
    const point = { visit, passes: seen / data.size, size, bound, seconds: (paused - began) / 1000 };
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
    if (before && Math.abs(now.bound - before.bound) <= tolerance * Math.abs(now.bound)) {
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
