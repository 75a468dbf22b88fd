import { breathe } from "../engine/interrupt.js";
import {
  type ConjugateModel,
  checkFiniteGlobal,
  copyOf,
  finiteBound,
  globalStep,
  type NaturalParameters,
} from "../models/conjugateModel.js";

/** One point of the trace of {@link cavi}: a row of a table. */
export type CaviPoint = {
  /** How many updates of q(θ) had been made; 0 is the start. */
  readonly step: number;
  /** The ELBO after them, with the local variables at their optimum. */
  readonly bound: number;
  /** Seconds since the start. */
  readonly seconds: number;
};

/** Options of {@link cavi}. */
export interface CaviOptions<G extends NaturalParameters, Batch, Local> {
  readonly model: ConjugateModel<G, Batch, Local>;
  /** All the data. */
  readonly data: Batch;
  /** Where q(θ) starts: a `start(key, …)` of the model, or its prior where nothing has to break a symmetry. */
  readonly start: G;
  /** Stops when an update raises the ELBO by less than this share of |local bound| + KL, the terms whose difference it is. Default 1e-8. */
  readonly tolerance?: number;
  /** Updates at most. Default 1000. */
  readonly maxSteps?: number;
  /**
   * Whether the local step is shown its last result (default), which makes the ELBO monotone; without, its iterations start anew, as SVI's must.
   */
  readonly warmStart?: boolean;
  /** Called after every update; what it returns is awaited. */
  readonly onProgress?: (point: CaviPoint, global: G) => void | Promise<void>;
}

/** What {@link cavi} returns. */
export interface CaviResult<G extends NaturalParameters, Local> {
  /** The natural parameters of q(θ). */
  readonly global: G;
  /** q(ξ), where the model's local step has iterations. */
  readonly local?: Local;
  /** The ELBO at both. */
  readonly bound: number;
  readonly trace: readonly CaviPoint[];
  /** Updates made. */
  readonly steps: number;
  readonly stoppedBecause: "converged" | "all steps taken";
}

/**
 * Coordinate-ascent variational inference: in turn the optimal q(ξ) given q(θ), and the optimal q(θ) given q(ξ), `γ ← prior + statistics`.
 *
 * The ELBO never falls (a fall beyond rounding is reported as an error, since the model's statistics and bound then contradict each other). Where the
 * model has no local variables, one update is exact.
 *
 * @throws RangeError if `tolerance` or `maxSteps` is out of range, or a natural parameter or the bound is not finite; Error if the ELBO falls by more than
 *   1e-9 of |local bound| + KL, before or after, while local iterations are warm; as the model does.
 * Source: Zhang et al. 2018, section 3; Hoffman, Blei, Wang & Paisley 2013, figure 3.
 */
export async function cavi<G extends NaturalParameters, Batch, Local>(
  options: CaviOptions<G, Batch, Local>,
): Promise<CaviResult<G, Local>> {
  const { model, data, tolerance = 1e-8, maxSteps = 1000, warmStart = true, onProgress } = options;
  if (!(tolerance >= 0)) throw new RangeError(`cavi: the tolerance must be ≥ 0, not ${tolerance}.`);
  if (!Number.isInteger(maxSteps) || maxSteps < 1)
    throw new RangeError(`cavi: maxSteps must be a positive integer, not ${maxSteps}.`);
  checkFiniteGlobal("cavi: the start", options.start);
  const began = performance.now();
  let global = copyOf(options.start);
  let current = model.local(global, data);
  // The ELBO of continuous data may be near 0: rounding, and what is a small gain, go by the terms that it is the difference of.
  let size = 0;
  const pointAt = (step: number): CaviPoint => {
    const kl = model.kl(global);
    const bound = finiteBound(`cavi: after ${step} updates`, current.bound - kl);
    size = Math.abs(current.bound) + Math.abs(kl);
    return { step, bound, seconds: (performance.now() - began) / 1000 };
  };
  const trace = [pointAt(0)];
  let stoppedBecause: CaviResult<G, Local>["stoppedBecause"] = "all steps taken";
  for (let step = 1; step <= maxSteps; step++) {
    await breathe();
    global = globalStep({ global, prior: model.prior, statistics: current.statistics, scale: 1, rate: 1 });
    checkFiniteGlobal(`cavi: update ${step}`, global);
    current = model.local(global, data, warmStart ? current.local : undefined);
    const [before, sizeBefore, point] = [trace[trace.length - 1], size, pointAt(step)];
    trace.push(point);
    const gain = point.bound - before.bound;
    if (warmStart && gain < -1e-9 * Math.max(sizeBefore, size)) {
      throw new Error(
        `cavi: update ${step} lowered the ELBO from ${before.bound} to ${point.bound}: the model's local bound, statistics and KL do not belong together, or numbers far from the prior's mean lose their digits (then centre the data).`,
      );
    }
    await onProgress?.(point, global);
    if (Math.abs(gain) <= tolerance * size) {
      stoppedBecause = "converged";
      break;
    }
  }
  const { step: steps, bound } = trace[trace.length - 1];
  return { global, ...(current.local !== undefined && { local: current.local }), bound, trace, steps, stoppedBecause };
}
