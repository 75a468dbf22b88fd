import { breathe } from "../engine/interrupt.js";
import type { Key } from "../engine/random.js";
import {
  type ConjugateModel,
  checkFiniteGlobal,
  copyOf,
  type Dataset,
  globalStep,
  type NaturalParameters,
} from "../models/conjugateModel.js";
import type { Schedule } from "../optimize/optimizer.js";
import { shuffledRows } from "../optimize/shuffledRows.js";

/** One point of the trace of {@link stochasticVariationalInference}: a row of a table. */
export type SviPoint = {
  /** How many steps had been taken. */
  readonly step: number;
  /** Data seen so far, with repetitions. */
  readonly seen: number;
  /** ρ of the last step. */
  readonly rate: number;
  /** The unbiased estimate of the ELBO from the last step's batch, `N/S · bound − KL`, at the parameters before that step. */
  readonly bound: number;
  /** Seconds since the start. */
  readonly seconds: number;
};

/** Options of {@link stochasticVariationalInference}. */
export interface SviOptions<G extends NaturalParameters, Batch, Local> {
  readonly model: ConjugateModel<G, Batch, Local>;
  readonly data: Dataset<Batch>;
  /** S, 1 to N. */
  readonly batchSize: number;
  /** ρ_t in (0, 1], for t from 0: `robbinsMonro({ kappa, tau })`, or `constant(ρ)`. */
  readonly rate: Schedule;
  readonly steps: number;
  readonly start: G;
  readonly key: Key;
  /** Steps between two points of the trace; each costs a KL of q(θ). Default: what makes about 100. */
  readonly traceEvery?: number;
  /** Called at every point of the trace; what it returns is awaited. */
  readonly onProgress?: (point: SviPoint, global: G) => void | Promise<void>;
}

/** What {@link stochasticVariationalInference} returns. */
export interface SviResult<G extends NaturalParameters> {
  /** The natural parameters of q(θ). */
  readonly global: G;
  readonly trace: readonly SviPoint[];
}

/**
 * Stochastic variational inference: a minibatch of S data, its local step, and a natural-gradient step on q(θ),
 * `γ ← (1 − ρ_t) γ + ρ_t (prior + N/S · statistics)`.
 *
 * With S = N and ρ = 1 it is CAVI, to the bit. Minibatches are those of `shuffledRows(key, N, S)`, so the same key gives the same numbers.
 *
 * @throws RangeError if S, `steps` or `traceEvery` is out of range, a rate is not in (0, 1] (the error names the step), or a natural parameter becomes
 *   not finite; as the model does.
 * Source: Hoffman, Blei, Wang & Paisley 2013, "Stochastic variational inference", figure 4; Zhang et al. 2018, section 4.1.
 */
export async function stochasticVariationalInference<G extends NaturalParameters, Batch, Local>(
  options: SviOptions<G, Batch, Local>,
): Promise<SviResult<G>> {
  const { model, data, batchSize, rate, steps, key, onProgress } = options;
  const traceEvery = options.traceEvery ?? Math.max(1, Math.round(steps / 100));
  for (const [name, count] of Object.entries({ steps, traceEvery })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`stochasticVariationalInference: ${name} must be a positive integer, not ${count}.`);
  }
  const rowsAt = shuffledRows(key, data.size, batchSize);
  const scale = data.size / batchSize;
  const began = performance.now();
  checkFiniteGlobal("stochasticVariationalInference: the start", options.start);
  let global = copyOf(options.start);
  const trace: SviPoint[] = [];
  for (let step = 0; step < steps; step++) {
    await breathe();
    const rho = rate(step);
    if (!(rho > 0 && rho <= 1)) {
      throw new RangeError(`stochasticVariationalInference: the rate of step ${step} must be in (0, 1], not ${rho}.`);
    }
    const { statistics, bound } = model.local(global, data.take(rowsAt(step)));
    const before = global;
    global = globalStep({ global, prior: model.prior, statistics, scale, rate: rho });
    if ((step + 1) % traceEvery !== 0 && step + 1 !== steps) continue;
    checkFiniteGlobal(`stochasticVariationalInference: step ${step}`, global);
    const point = {
      step: step + 1,
      seen: (step + 1) * batchSize,
      rate: rho,
      bound: scale * bound - model.kl(before),
      seconds: (performance.now() - began) / 1000,
    };
    trace.push(point);
    await onProgress?.(point, global);
  }
  return { global, trace };
}
