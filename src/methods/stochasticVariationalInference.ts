import { breathe } from "../engine/interrupt.js";
import { foldIn, type Key } from "../engine/random.js";
import {
  type ConjugateModel,
  type Correction,
  checkFiniteGlobal,
  copyOf,
  type Dataset,
  finiteBound,
  globalStep,
  type NaturalParameters,
} from "../models/conjugateModel.js";
import type { AdaptiveBatchSize } from "../optimize/adaptiveBatchSize.js";
import type { AdaptiveRate } from "../optimize/adaptiveRate.js";
import { naturalGradient } from "../optimize/naturalGradient.js";
import type { Schedule } from "../optimize/optimizer.js";
import { checkRate } from "./checkRate.js";
import { gradientsOfHalves, minibatchEstimate, rowsOfSteps } from "./minibatchEstimate.js";
import { slidingWindow } from "./slidingWindow.js";

/** One point of the trace of {@link stochasticVariationalInference}: a row of a table. */
export type SviPoint = {
  /** How many steps had been taken. */
  readonly step: number;
  /** Data seen so far, with repetitions. */
  readonly seen: number;
  /** S of the last step. */
  readonly size: number;
  /** ρ of the last step. */
  readonly rate: number;
  /** The unbiased estimate of the ELBO from the last step's batch, `N/S · bound − KL`, at the parameters before that step. */
  readonly bound: number;
  /** Seconds since the start, without those of the trace itself: its KL and `onProgress`. */
  readonly seconds: number;
};

/** Options of {@link stochasticVariationalInference}. */
export interface SviOptions<G extends NaturalParameters, Batch, Local> {
  readonly model: ConjugateModel<G, Batch, Local>;
  readonly data: Dataset<Batch>;
  /** S, 1 to N; or `adaptiveBatchSize({ initial })`, whose minibatches are drawn anew each step, without replacement. */
  readonly batchSize: number | AdaptiveBatchSize;
  /** ρ_t in (0, 1], for t from 0: `robbinsMonro({ kappa, tau })`, `constant(ρ)`, or `adaptiveRate()`. */
  readonly rate: Schedule | AdaptiveRate;
  readonly steps: number;
  /** Ends before a step that would see more data than this, with repetitions. Default: all steps are taken. */
  readonly maxSeen?: number;
  /**
   * L: the statistics are averaged over the last L minibatches, or as many as there were. That makes their variance about L times less, and biases them towards
   * those of earlier q(θ). Default 1.
   */
  readonly window?: number;
  /** Draws minibatches with replacement, each datum with its probability, as `importanceRows` does, in place of passes through the data. */
  readonly probabilities?: Float64Array;
  /** Applied to q(θ) after every step, such as `wordTotals(model)` for LDA. Default: none, which is SVI as published. */
  readonly correction?: Correction<G>;
  readonly start: G;
  readonly key: Key;
  /** Steps between two points of the trace, or whether there is one after so many steps; each costs a KL of q(θ). Default: what makes about 100. */
  readonly traceEvery?: number | ((step: number) => boolean);
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
 * With S = N and ρ = 1 it is CAVI, to the bit. Minibatches are those of `shuffledRows(key, N, S)`, so the same key gives the same numbers. Rate and size may follow
 * from the run, statistics may be averaged over a window of minibatches, and data drawn with unequal probabilities.
 *
 * `correction`, `window`, `adaptiveRate`, `adaptiveBatchSize` and `probabilities` are this driver's alone: out of core, distributed and population variational inference take a schedule of
 * rates and batches as they come.
 *
 * @throws RangeError if S, `steps`, `window` or `traceEvery` is out of range, a rate is not in (0, 1] (the error names the step), probabilities are not one for each
 *   datum or come with a size that changes, `maxSeen` leaves no step, or a natural parameter or a bound becomes not finite; as the model does.
 * Source: Hoffman, Blei, Wang & Paisley 2013, "Stochastic variational inference", figure 4; Zhang et al. 2018, sections 4.1 and 4.2; the window: Mandt & Blei
 *   2014, "Smoothed gradients for stochastic variational inference".
 */
export async function stochasticVariationalInference<G extends NaturalParameters, Batch, Local>(
  options: SviOptions<G, Batch, Local>,
): Promise<SviResult<G>> {
  const {
    model,
    data,
    batchSize,
    rate,
    steps,
    key,
    window = 1,
    probabilities,
    maxSeen = Infinity,
    onProgress,
  } = options;
  const traceEvery = options.traceEvery ?? Math.max(1, Math.round(steps / 100));
  const adapting = typeof batchSize === "number" ? undefined : batchSize;
  const due = typeof traceEvery === "function" ? traceEvery : (step: number) => step % traceEvery === 0;
  const counts = { steps, window, ...(typeof traceEvery === "number" && { traceEvery }) };
  checkOptions(counts, data.size, probabilities, adapting);
  let size = typeof batchSize === "number" ? batchSize : batchSize.initial;
  const rows = { total: data.size, size, probabilities, halves: adapting !== undefined };
  const rowsAt = rowsOfSteps({ key, ...rows });
  const nextSize = adapting?.begin();
  const corrected = options.correction?.begin();
  const average = window === 1 ? undefined : slidingWindow<G>(window);
  let began = performance.now();
  checkFiniteGlobal("stochasticVariationalInference: the start", options.start);
  let global = copyOf(options.start);
  let seen = 0;
  const gradientOf = (estimate: { readonly statistics: G; readonly scale: number }): G =>
    naturalGradient({ global, prior: model.prior, ...estimate });

  let rateFrom: ((gradient: G) => number) | undefined;
  if (typeof rate !== "function") {
    const firstRowsAt = rowsOfSteps({ key: foldIn(key, 2 ** 32 - 1), ...rows });
    const first: G[] = [];
    for (let i = 0; i < rate.warmUp; i++) {
      await breathe();
      const { statistics, scale } = minibatchEstimate({ model, data, global, rows: firstRowsAt(i, size) });
      first.push(gradientOf({ statistics, scale }));
      seen += size;
    }
    rateFrom = rate.begin(first);
  }
  const trace: SviPoint[] = [];
  for (let step = 0; step < steps && seen + size <= maxSeen; step++) {
    await breathe();
    const estimate = minibatchEstimate({ model, data, global, rows: rowsAt(step, size) });
    const { statistics, scale } = average
      ? { statistics: average(estimate.statistics, estimate.scale), scale: 1 }
      : estimate;
    const rho = typeof rate === "function" ? rate(step) : rateFrom!(gradientOf({ statistics, scale }));
    checkRate("stochasticVariationalInference", `step ${step}`, rho);
    const [before, taken] = [global, size];
    seen += size;
    if (nextSize) {
      size = nextSize({ gradients: gradientsOfHalves(model, global, estimate), size, total: data.size, rate: rho });
    }
    global = globalStep({ global, prior: model.prior, statistics, scale, rate: rho });
    if (corrected) global = corrected(global, estimate.statistics, estimate.scale);
    const last = step + 1 === steps || seen + size > maxSeen;
    if (!due(step + 1) && !last) continue;
    const paused = performance.now();
    checkFiniteGlobal(`stochasticVariationalInference: step ${step}`, global);
    const point = {
      step: step + 1,
      seen,
      size: taken,
      rate: rho,
      bound: finiteBound(`stochasticVariationalInference: step ${step}`, estimate.bound - model.kl(before)),
      seconds: (paused - began) / 1000,
    };
    trace.push(point);
    await onProgress?.(point, global);
    began += performance.now() - paused;
  }
  if (trace.length === 0) {
    throw new RangeError(
      `stochasticVariationalInference: maxSeen is ${maxSeen}, but the first step ends with ${seen + size} data seen.`,
    );
  }
  return { global, trace };
}

function checkOptions(
  counts: { readonly [name: string]: number },
  total: number,
  probabilities: Float64Array | undefined,
  adapting: AdaptiveBatchSize | undefined,
): void {
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`stochasticVariationalInference: ${name} must be a positive integer, not ${count}.`);
  }
  if (probabilities && probabilities.length !== total) {
    throw new RangeError(
      `stochasticVariationalInference: give a probability for each of the ${total} data, not ${probabilities.length}.`,
    );
  }
  if (probabilities && adapting) {
    throw new RangeError(
      "stochasticVariationalInference: an adaptive batch size is derived for data drawn alike; give it without probabilities.",
    );
  }
}
