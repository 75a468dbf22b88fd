import { breathe } from "../engine/interrupt.js";
import type { Key } from "../engine/random.js";
import {
  type ConjugateModel,
  checkFiniteGlobal,
  copyOf,
  type Dataset,
  finiteBound,
  globalStep,
  type NaturalParameters,
} from "../models/conjugateModel.js";
import type { Schedule } from "../optimize/optimizer.js";
import { sampledRows } from "../optimize/sampledRows.js";
import { checkRate } from "./checkRate.js";
import { checkDeterministicLocal, controlledStatistics, locally } from "./controlledStatistics.js";
import { checkTableSize, fixedBatches, statisticsTable } from "./statisticsTable.js";

/** One point of the trace of {@link sagaVariationalInference}: a row of a table. */
export type SagaViPoint = {
  /** Steps taken. */
  readonly step: number;
  /** Data that a local step was made of, over N: 1 for the table at the start, then those of each step's batch; those of the trace are not counted. */
  readonly passes: number;
  /** The ELBO, exact. */
  readonly bound: number;
  /** E ‖ĝ − g‖² of the next step's natural gradient over all batches, exact. */
  readonly gradientError: number;
  /** Seconds since the start, without those of the trace itself. */
  readonly seconds: number;
};

/** Options of {@link sagaVariationalInference}. */
export interface SagaViOptions<G extends NaturalParameters, Batch, Local> {
  readonly model: ConjugateModel<G, Batch, Local>;
  readonly data: Dataset<Batch>;
  /** S, 1 to N: the data are cut once, at random, into ⌈N/S⌉ batches whose sizes differ by at most one. With 1 the table is one of data. */
  readonly batchSize: number;
  /** ρ_t in (0, 1], for t from 0; it may be `constant(ρ)`. */
  readonly rate: Schedule;
  readonly steps: number;
  readonly start: G;
  /** Cuts the data, and draws each step's batch. */
  readonly key: Key;
  /** Steps between two points of the trace, each a local step on all the data. Default: what makes about 20; the start and the end are always there. */
  readonly traceEvery?: number;
  /** Called at every point of the trace; what it returns is awaited. */
  readonly onProgress?: (point: SagaViPoint, global: G) => void | Promise<void>;
}

/** What {@link sagaVariationalInference} returns. */
export interface SagaViResult<G extends NaturalParameters> {
  /** The natural parameters of q(θ). */
  readonly global: G;
  /** The ELBO there, exact. */
  readonly bound: number;
  /** The rows of each batch. */
  readonly batches: readonly Int32Array[];
  /** The table: the statistics of each batch when it was last drawn. */
  readonly statistics: readonly G[];
  readonly trace: readonly SagaViPoint[];
}

/**
 * Stochastic variational inference with SAGA's natural gradient: `γ ← (1 − ρ) γ + ρ (prior + B (s_b(γ) − a_b) + Σ_j a_j)`, with b one of B batches, drawn anew at every step, and a_b
 * the statistics of batch b when it was last drawn.
 *
 * Unbiased, with an error that goes to zero as SVRG's, so that a constant ρ converges, but without full passes after the first: one local step a step, and a table of B
 * statistics (twice, at the points of the trace). For a model without local variables the error is zero and q(θ) comes to the posterior by the factor 1 − ρ a step, exactly; with one batch and ρ = 1 it is CAVI,
 * but for rounding. A conjugate ELBO is not concave, so no rate is promised elsewhere.
 *
 * Local steps start anew at every call, as SVI's must: what a call returns is then a function of γ and the batch alone.
 *
 * As with SVRG a step may leave the natural parameters, for LDA already at the rates usual for SVI, and is then refused. With ρ = 1/B the distance of γ from prior + Σ_j a_j shrinks by
 * 1 − ρ a step whatever batches are drawn, and that sum is always among them: take ρ = 1/B or less, and start from an update of `cavi`, or else take larger batches. (With ρ = 1/B and no
 * such distance it *is* `memoisedVariationalInference` with batches drawn at random, where the model's local step has no iterations; else that goes on from each batch's earlier q(ξ), which
 * SAGA must not.)
 *
 * @throws RangeError if S, `steps` or `traceEvery` is out of range, the table and its copy at the trace would have more than 2²⁷ numbers, a rate is not in (0, 1] (the error names the step), a bound becomes not finite, or a
 *   step leaves the natural parameters; as the model does. Error if the model's local step is not deterministic.
 * Source: Defazio, Bach & Lacoste-Julien 2014, "SAGA: a fast incremental gradient method with support for non-strongly convex composite objectives", equation 1, on the natural gradient of
 *   Hoffman, Blei, Wang & Paisley 2013.
 */
export async function sagaVariationalInference<G extends NaturalParameters, Batch, Local>(
  options: SagaViOptions<G, Batch, Local>,
): Promise<SagaViResult<G>> {
  const where = "sagaVariationalInference";
  const { model, data, batchSize, rate, steps, start, key, onProgress } = options;
  const traceEvery = options.traceEvery ?? Math.max(1, Math.round(steps / 20));
  for (const [name, count] of Object.entries({ steps, traceEvery })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${where}: ${name} must be a positive integer, not ${count}.`);
  }
  const batches = fixedBatches(where, key, data.size, batchSize);
  const B = batches.length;
  // At a point of the trace there are those of now beside the table.
  const remedy = "take larger batches, or svrgVariationalInference, which keeps one snapshot";
  checkTableSize(where, { batches: B, like: start, copies: 2, remedy });
  const batchOf = (b: number): Batch => (B === 1 ? data.all : data.take(batches[b]));
  const drawn = sampledRows(key, B, 1);
  let began = performance.now();
  checkFiniteGlobal(`${where}: the start`, start);
  checkDeterministicLocal(where, model, start, batchOf(0));
  const table = statisticsTable(B, start);
  const localStep = locally(where, model);
  let global = copyOf(start);
  let seen = 0;
  const trace: SagaViPoint[] = [];
  const everywhere = async (step: number): Promise<{ readonly bound: number; readonly statistics: readonly G[] }> => {
    checkFiniteGlobal(`${where}: after ${step} steps`, global);
    let bound = -model.kl(global);
    const statistics: G[] = [];
    for (let b = 0; b < B; b++) {
      await breathe();
      const local = localStep(step, global, batchOf(b));
      bound += local.bound;
      statistics.push(local.statistics);
    }
    return { bound: finiteBound(`${where}: after ${step} steps`, bound), statistics };
  };
  const record = async (step: number, known?: Awaited<ReturnType<typeof everywhere>>): Promise<void> => {
    const paused = performance.now();
    const { bound, statistics } = known ?? (await everywhere(step));
    const point = {
      step,
      passes: seen / data.size,
      bound,
      gradientError: errorOf(statistics, table.parts as readonly G[]),
      seconds: (paused - began) / 1000,
    };
    trace.push(point);
    await onProgress?.(point, global);
    began += performance.now() - paused;
  };
  const first = await everywhere(0);
  for (const [b, statistics] of first.statistics.entries()) table.replace(b, statistics);
  seen += data.size;
  await record(0, first);
  for (let step = 0; step < steps; step++) {
    await breathe();
    const rho = rate(step);
    checkRate(where, `step ${step}`, rho);
    const [b] = drawn(step);
    const here = localStep(step, global, batchOf(b)).statistics;
    const statistics = controlledStatistics({ here, there: table.parts[b]!, full: table.sum(), scale: B });
    global = globalStep({ global, prior: model.prior, statistics, scale: 1, rate: rho });
    table.replace(b, here);
    if ((step + 1) % B === 0) table.renew();
    seen += batches[b].length;
    if ((step + 1) % traceEvery === 0 || step + 1 === steps) await record(step + 1);
  }
  return {
    global,
    bound: trace[trace.length - 1].bound,
    batches,
    statistics: table.parts as readonly G[],
    trace,
  };
}

/** `E_b ‖B d_b − Σ_j d_j‖²` for d = now − then. */
function errorOf<G extends NaturalParameters>(now: readonly G[], then: readonly G[]): number {
  const B = now.length;
  let total = 0;
  for (const name of Object.keys(now[0])) {
    for (let i = 0; i < now[0][name].length; i++) {
      let mean = 0;
      for (let b = 0; b < B; b++) mean += (now[b][name][i] - then[b][name][i]) / B;
      for (let b = 0; b < B; b++) total += B * (now[b][name][i] - then[b][name][i] - mean) ** 2;
    }
  }
  return total;
}
