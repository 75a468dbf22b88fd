import { breathe } from "../engine/interrupt.js";
import type { Key } from "../engine/random.js";
import {
  checkBatchSize,
  checkFiniteSum,
  checkPoint,
  evaluateSum,
  type FiniteSum,
  minibatchVariance,
} from "../models/finiteSum.js";
import type { Schedule } from "./optimizer.js";
import { sampledRows } from "./sampledRows.js";

/** One point of a descent's trace: a row of a table. */
export type DescentPoint = {
  /** Steps taken. */
  readonly step: number;
  /** Gradients of terms that were evaluated, over N; what the trace itself evaluates is not counted. */
  readonly passes: number;
  /** F, exact. */
  readonly value: number;
  /** F − F*, where the optimum was given; NaN otherwise. */
  readonly suboptimality: number;
  /** ‖∇F‖, exact. */
  readonly gradientNorm: number;
  /** E ‖g − ∇F‖² of the next step's gradient over all minibatches, exact. */
  readonly gradientError: number;
  /** Seconds since the start. */
  readonly seconds: number;
};

/** Options of `stochasticGradientDescent`, `svrg` and `saga`. */
export interface DescentOptions {
  readonly sum: FiniteSum;
  /** `[D]`. */
  readonly start: Float64Array;
  /** The step size at each step, from 0: `constant(η)`. */
  readonly rate: Schedule;
  readonly steps: number;
  /** S. Default 1. */
  readonly batchSize?: number;
  readonly key: Key;
  /** F*, where it is known, for the trace. */
  readonly optimum?: number;
  /** Steps between two points of the trace; each costs 2N or 3N gradients of terms. Default: what makes about 50. */
  readonly traceEvery?: number;
  /**
   * Terms whose noise is drawn anew in every evaluation are refused (default), since nothing can be proved of them; `"measure"` lets them through, to see what
   * remains of the gradient's error. The trace then evaluates them too, and its numbers are noisy.
   */
  readonly randomTerms?: "refuse" | "measure";
  /** Called at every point of the trace; what it returns is awaited. */
  readonly onProgress?: (point: DescentPoint, at: Float64Array) => void | Promise<void>;
}

/** What a descent returns. */
export interface DescentResult {
  /** `[D]`. */
  readonly point: Float64Array;
  /** F there. */
  readonly value: number;
  readonly trace: readonly DescentPoint[];
  readonly passes: number;
}

/** A gradient estimator with a memory. */
export interface DescentMethod {
  /** Before a step: renews what is remembered, where it is due; returns the gradients of terms that took, and where the step starts. */
  prepare(step: number, point: Float64Array): Promise<{ readonly evaluated: number; readonly from?: Float64Array }>;
  /** Writes g to `into`; returns the gradients of terms that took. */
  estimate(point: Float64Array, rows: Int32Array, into: Float64Array): number;
  /** Adds `weight · a_i`, the control variate's term. */
  readonly control?: (row: Int32Array, into: Float64Array, weight: number) => void;
}

/**
 * The loop that the three share: `x ← x − η_t g_t`, with the trace. @internal
 *
 * @throws as they do.
 */
export async function descend(
  where: string,
  options: DescentOptions,
  methodOf: (sum: FiniteSum, batchSize: number) => DescentMethod,
): Promise<DescentResult> {
  const { sum, start, rate, steps, batchSize = 1, key, optimum = Number.NaN, onProgress } = options;
  const traceEvery = options.traceEvery ?? Math.max(1, Math.round(steps / 50));
  for (const [name, count] of Object.entries({ steps, traceEvery })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${where}: ${name} must be a positive integer, not ${count}.`);
  }
  checkPoint(where, sum, start);
  checkBatchSize(where, batchSize, sum.size);
  const method = methodOf(sum, batchSize);
  if (options.randomTerms !== "measure") checkFiniteSum(where, sum, start);
  const rowsAt = sampledRows(key, sum.size, batchSize);
  const began = performance.now();
  const gradient = new Float64Array(sum.dimension);
  const trace: DescentPoint[] = [];
  let point = Float64Array.from(start);
  let [evaluated, sinceBreath] = [0, 0];
  const record = async (step: number): Promise<void> => {
    const { value, gradient: exact } = await evaluateSum(sum, point);
    if (!Number.isFinite(value))
      throw new RangeError(
        `${where}: the objective after ${step} steps is ${value}; take a smaller rate (for L-smooth terms at most about 1/(3L)).`,
      );
    const { control } = method;
    const now: DescentPoint = {
      step,
      passes: evaluated / sum.size,
      value,
      suboptimality: value - optimum,
      gradientNorm: Math.hypot(...exact),
      gradientError: await minibatchVariance({ sum, point, batchSize, ...(control && { control }) }),
      seconds: (performance.now() - began) / 1000,
    };
    trace.push(now);
    await onProgress?.(now, point);
  };
  for (let step = 0; step < steps; step++) {
    const { evaluated: renewing, from } = await method.prepare(step, point);
    if (from) point = Float64Array.from(from);
    evaluated += renewing;
    if (step % traceEvery === 0) await record(step);
    const eta = rate(step);
    if (!(eta > 0 && eta < Infinity))
      throw new RangeError(`${where}: the rate of step ${step} must be positive and finite, not ${eta}.`);
    const taken = method.estimate(point, rowsAt(step), gradient);
    for (let d = 0; d < point.length; d++) point[d] -= eta * gradient[d];
    evaluated += taken;
    sinceBreath += taken;
    if (sinceBreath >= 256) {
      await breathe();
      sinceBreath = 0;
    }
  }
  await record(steps);
  const bad = point.findIndex((x) => !Number.isFinite(x));
  if (bad !== -1) throw new RangeError(`${where}: coordinate ${bad} is ${point[bad]}; take a smaller rate.`);
  return { point, value: trace[trace.length - 1].value, trace, passes: evaluated / sum.size };
}
