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

/** One point of the trace of {@link svrgVariationalInference}, at a snapshot: a row of a table. */
export type SvrgViPoint = {
  /** Steps taken. */
  readonly step: number;
  /** Local steps made, over N: 1 a snapshot and 2 S/N a step. */
  readonly passes: number;
  /** The ELBO at the snapshot, exact. */
  readonly bound: number;
  /** Seconds since the start. */
  readonly seconds: number;
};

/** Options of {@link svrgVariationalInference}. */
export interface SvrgViOptions<G extends NaturalParameters, Batch, Local> {
  readonly model: ConjugateModel<G, Batch, Local>;
  readonly data: Dataset<Batch>;
  /** S, 1 to N. */
  readonly batchSize: number;
  /** ρ_t in (0, 1], for t from 0; it may be `constant(ρ)`. */
  readonly rate: Schedule;
  readonly steps: number;
  /** m, steps between two snapshots. Default 2N/S, rounded up. */
  readonly innerSteps?: number;
  readonly start: G;
  readonly key: Key;
  /** Called at every point of the trace, with q(θ) there, which is the snapshot; what it returns is awaited. */
  readonly onProgress?: (point: SvrgViPoint, global: G) => void | Promise<void>;
}

/** What {@link svrgVariationalInference} returns. */
export interface SvrgViResult<G extends NaturalParameters> {
  /** The natural parameters of q(θ). */
  readonly global: G;
  /** The ELBO there, exact. */
  readonly bound: number;
  /** The start, every snapshot, and the end. */
  readonly trace: readonly SvrgViPoint[];
}

/**
 * Stochastic variational inference with SVRG's natural gradient: `γ ← (1 − ρ) γ + ρ (prior + N/S (s_B(γ) − s_B(γ̃)) + s(γ̃))`, where s_B are the statistics of a minibatch
 * after its local step, and those of all the data at the snapshot γ̃ are renewed every m steps.
 *
 * The ELBO's natural gradient is a finite sum over the data, deterministic because local steps are in closed form; so its error goes to zero as γ and γ̃ come to the
 * optimum, and a constant ρ converges. With S = N and ρ = 1 it is CAVI, but for rounding. A conjugate ELBO is not concave, so no rate is promised.
 *
 * Local steps start anew at every call, as SVI's must: what a call returns is then a function of γ and the batch alone.
 *
 * SVI's step is an average of natural parameters and stays among them; this one subtracts statistics, and may leave them, which is refused. For LDA it does so at the rates usual for
 * SVI, and from a random start at almost any: N/S times the change of a word's count in a few documents can be more than λ has. Start from an update of `cavi` or a few, with ρ of half S/N or less, or
 * take larger minibatches; or use `memoisedVariationalInference`, which has no rate and never leaves them.
 *
 * @throws RangeError if S, m or `steps` is out of range, a rate is not in (0, 1] (the error names the step), a bound becomes not finite, or a step leaves the space of natural parameters, which an
 *   unbiased estimate may: take a smaller rate or more data a step; as the model does. Error if the model's local step is not deterministic.
 * Source: Johnson & Zhang 2013, "Accelerating stochastic gradient descent using predictive variance reduction", on the natural gradient of Hoffman, Blei, Wang &
 *   Paisley 2013; Zhang et al. 2018, section 4.2.
 */
export async function svrgVariationalInference<G extends NaturalParameters, Batch, Local>(
  options: SvrgViOptions<G, Batch, Local>,
): Promise<SvrgViResult<G>> {
  const where = "svrgVariationalInference";
  const { model, data, batchSize, rate, steps, start, key, onProgress } = options;
  const m = options.innerSteps ?? Math.ceil((2 * data.size) / batchSize);
  for (const [name, count] of Object.entries({ steps, innerSteps: m })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${where}: ${name} must be a positive integer, not ${count}.`);
  }
  const rowsAt = sampledRows(key, data.size, batchSize);
  const scale = data.size / batchSize;
  const began = performance.now();
  checkFiniteGlobal(`${where}: the start`, start);
  checkDeterministicLocal(where, model, start, data.take(rowsAt(0)));
  let global = copyOf(start);
  let snapshot = global;
  let full = global;
  let passes = 0;
  const trace: SvrgViPoint[] = [];
  const localStep = locally(where, model);
  const renew = async (step: number): Promise<void> => {
    checkFiniteGlobal(`${where}: after ${step} steps`, global);
    const { statistics, bound } = localStep(step, global, data.all);
    [snapshot, full] = [global, statistics];
    passes += 1;
    const elbo = finiteBound(`${where}: after ${step} steps`, bound - model.kl(global));
    const point = { step, passes, bound: elbo, seconds: (performance.now() - began) / 1000 };
    trace.push(point);
    await onProgress?.(point, global);
  };
  for (let step = 0; step < steps; step++) {
    await breathe();
    if (step % m === 0) await renew(step);
    const rho = rate(step);
    checkRate(where, `step ${step}`, rho);
    const batch = data.take(rowsAt(step));
    const [here, there] = [localStep(step, global, batch).statistics, model.local(snapshot, batch).statistics];
    const statistics = controlledStatistics({ here, there, full, scale });
    global = globalStep({ global, prior: model.prior, statistics, scale: 1, rate: rho });
    passes += (2 * batchSize) / data.size;
  }
  await renew(steps);
  return { global, bound: trace[trace.length - 1].bound, trace };
}

/**
 * How far a minibatch's natural gradient is from the full one, exactly: `E ‖ĝ − g‖²` over all sets of S data, and `‖g‖²` for `g = prior + s(γ) − γ`.
 *
 * It makes the local step of every datum by itself, twice where there is a snapshot: a diagnostic, not for every step.
 *
 * @param options.snapshot - γ̃ of SVRG; without it, the error is that of plain SVI.
 * @throws RangeError if S is out of range; as the model does.
 */
export async function naturalGradientError<G extends NaturalParameters, Batch, Local>(options: {
  readonly model: ConjugateModel<G, Batch, Local>;
  readonly data: Dataset<Batch>;
  readonly global: G;
  readonly batchSize: number;
  readonly snapshot?: G;
}): Promise<{ readonly error: number; readonly squaredNorm: number }> {
  const { model, data, global, batchSize: S, snapshot } = options;
  const N = data.size;
  if (!Number.isInteger(S) || S < 1 || S > N)
    throw new RangeError(`naturalGradientError: the batch size must be an integer from 1 to the ${N} data, not ${S}.`);
  const names = Object.keys(global);
  const sums = names.map((name) => new Float64Array(global[name].length));
  const means = names.map((name) => new Float64Array(global[name].length));
  let spread = 0; // Σ_i ‖d_i − d̄‖², by Welford's updates
  for (let i = 0; i < N; i++) {
    await breathe();
    const datum = data.take(Int32Array.of(i));
    const here = model.local(global, datum).statistics;
    const there = snapshot && model.local(snapshot, datum).statistics;
    for (const [at, name] of names.entries()) {
      for (let j = 0; j < here[name].length; j++) {
        sums[at][j] += here[name][j];
        const difference = here[name][j] - (there?.[name][j] ?? 0);
        const before = difference - means[at][j];
        means[at][j] += before / (i + 1);
        spread += before * (difference - means[at][j]);
      }
    }
  }
  let squaredNorm = 0;
  for (const [at, name] of names.entries())
    for (let j = 0; j < sums[at].length; j++)
      squaredNorm += (model.prior[name][j] + sums[at][j] - global[name][j]) ** 2;
  return { error: N === S ? 0 : ((N * N) / S) * ((N - S) / (N - 1)) * (spread / N), squaredNorm };
}
