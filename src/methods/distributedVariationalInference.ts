import { breathe, untilInterrupted } from "../engine/interrupt.js";
import {
  type ConjugateModel,
  checkFiniteGlobal,
  copyOf,
  finiteBound,
  globalStep,
  type NaturalParameters,
} from "../models/conjugateModel.js";
import type { Schedule } from "../optimize/optimizer.js";
import { checkRate } from "./checkRate.js";
import { type CutMinibatch, sumOfParts } from "./minibatchParts.js";
import type { LocalStatistics, StatisticsPool } from "./statisticsPool.js";
import type { SviPoint } from "./stochasticVariationalInference.js";

/** One point of the trace of {@link distributedVariationalInference}: a row of a table. */
export type DistributedPoint = SviPoint & {
  /** By how many global steps q(θ) had moved on when statistics were used: the mean over the steps since the point before. */
  readonly staleness: number;
};

/** Options of {@link distributedVariationalInference}. */
export interface DistributedOptions<G extends NaturalParameters, Batch> {
  /** The global part of the model; the local part is with the workers. */
  readonly model: Pick<ConjugateModel<G, never>, "prior" | "kl">;
  readonly pool: StatisticsPool<G, Batch>;
  /** N. */
  readonly total: number;
  /** `rowsInParts(…)`, `batchesInParts(…)` or one's own. */
  readonly minibatches: (step: number) => CutMinibatch<Batch>;
  /** ρ_t in (0, 1], for t from 0, in the order of global steps. */
  readonly rate: Schedule;
  readonly steps: number;
  readonly start: G;
  /** τ: statistics may be of q(θ) as it was up to so many global steps before. Default 0: synchronous. */
  readonly staleness?: number;
  /**
   * Which statistics a global step takes. `"steps"` (default): those of the next minibatch, so that step t uses q(θ) of step t − τ exactly and the same key gives the
   * same bits whatever the workers' speed. `"arrival"`: those that are done first, as long as none gets older than τ.
   */
  readonly order?: "steps" | "arrival";
  /** Steps between two points of the trace; each costs a KL of q(θ). Default: what makes about 100. */
  readonly traceEvery?: number;
  /** Called at every point of the trace; what it returns is awaited. */
  readonly onProgress?: (point: DistributedPoint, global: G) => void | Promise<void>;
}

/** What {@link distributedVariationalInference} returns. */
export interface DistributedResult<G extends NaturalParameters> {
  /** The natural parameters of q(θ). */
  readonly global: G;
  readonly trace: readonly DistributedPoint[];
}

/** A minibatch that workers have. */
interface Flight<G extends NaturalParameters> {
  /** q(θ) that it was sent with. */
  readonly global: G;
  /** Global steps that had been taken then. */
  readonly issued: number;
  readonly size: number;
  readonly results: LocalStatistics<G>[];
  missing: number;
}

/**
 * Stochastic variational inference with the local steps on workers (map) and the global step here (reduce):
 * `γ_{t+1} = (1 − ρ_t) γ_t + ρ_t (prior + N/S · Σ_p statistics_p(γ_{t − s_t}))`, with 0 ≤ s_t ≤ τ.
 *
 * With τ = 0 it is `stochasticVariationalInference` of `modelInParts(model)`, to the bit, and with one part a minibatch of the model itself: sums are taken in the order
 * of the parts, whichever worker is done first. With τ > 0 up to τ + 1 minibatches are out at once, so workers need not wait for the slowest.
 *
 * The correction, the window, the adaptive rate and size and the importance sampling of `stochasticVariationalInference` are that driver's alone: here the rate is a schedule, the size
 * that of `minibatches`.
 *
 * If anything fails or the cell is interrupted, the pool is closed, since its workers may still be at what nobody wants; after a run that ends well it is open for another.
 *
 * @throws RangeError if an option is out of range, a rate is not in (0, 1], statistics are not of this model, or a natural parameter or a bound becomes not finite; as the pool and
 *   the model do.
 * Source: Zhang et al. 2018, section 4.3; Hoffman, Blei, Wang & Paisley 2013, section 2; bounded staleness: Ho et al. 2013, "More effective distributed ML via a stale
 *   synchronous parallel parameter server".
 */
export async function distributedVariationalInference<G extends NaturalParameters, Batch>(
  options: DistributedOptions<G, Batch>,
): Promise<DistributedResult<G>> {
  try {
    return await run(options);
  } catch (error) {
    await options.pool.close().catch(() => {}); // what went wrong first is what counts
    throw error;
  }
}

async function run<G extends NaturalParameters, Batch>(
  options: DistributedOptions<G, Batch>,
): Promise<DistributedResult<G>> {
  const { model, pool, total, minibatches, rate, steps, staleness = 0, order = "steps", onProgress } = options;
  const traceEvery = options.traceEvery ?? Math.max(1, Math.round(steps / 100));
  checkCounts({ total, steps, traceEvery }, staleness);
  checkFiniteGlobal("distributedVariationalInference: the start", options.start);
  const began = performance.now();
  let global = copyOf(options.start);
  const flights: Flight<G>[] = []; // oldest first
  const done: Flight<G>[] = []; // first done first
  let failure: { readonly error: unknown } | undefined;
  let wake = (): void => {};

  const send = (step: number, issued: number): void => {
    const { parts, size } = minibatches(step);
    const flight: Flight<G> = { global, issued, size, results: [], missing: parts.length };
    flights.push(flight);
    for (const [p, part] of parts.entries()) {
      pool.map(global, part).then(
        (result) => {
          flight.results[p] = result;
          if (--flight.missing === 0) done.push(flight);
          wake();
        },
        (error: unknown) => {
          failure ??= { error };
          wake();
        },
      );
    }
  };
  const usable = (taken: number): Flight<G> | undefined =>
    order === "steps"
      ? done.find((flight) => flight === flights[0])
      : done.find((flight) => nobodyGetsOlder(flights, flight, taken, staleness));
  const nextDone = async (taken: number): Promise<Flight<G>> => {
    for (;;) {
      if (failure) throw failure.error;
      const flight = usable(taken);
      if (flight) {
        flights.splice(flights.indexOf(flight), 1);
        done.splice(done.indexOf(flight), 1);
        return flight;
      }
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      pool.waiting?.();
      await untilInterrupted(changed);
    }
  };

  const trace: DistributedPoint[] = [];
  let [sent, seen, ages, since] = [0, 0, 0, 0];
  for (let step = 0; step < steps; step++) {
    await breathe();
    while (sent < steps && sent - step <= staleness) send(sent++, step);
    const flight = await nextDone(step);
    const { statistics, bound } = sumOfParts(flight.global, flight.results);
    const rho = rate(step);
    checkRate("distributedVariationalInference", `step ${step}`, rho);
    const scale = total / flight.size;
    global = globalStep({ global, prior: model.prior, statistics, scale, rate: rho });
    seen += flight.size;
    ages += step - flight.issued;
    since++;
    if ((step + 1) % traceEvery !== 0 && step + 1 < steps) continue;
    checkFiniteGlobal(`distributedVariationalInference: step ${step}`, global);
    const point = {
      step: step + 1,
      seen,
      size: flight.size,
      rate: rho,
      bound: finiteBound(`distributedVariationalInference: step ${step}`, scale * bound - model.kl(flight.global)),
      seconds: (performance.now() - began) / 1000,
      staleness: ages / since,
    };
    [ages, since] = [0, 0];
    trace.push(point);
    await onProgress?.(point, global);
  }
  return { global, trace };
}

/** Whether all others can still be used in time if this one is next: the j-th oldest of them at step `taken` + j, at most τ after it was sent. */
function nobodyGetsOlder<G extends NaturalParameters>(
  flights: readonly Flight<G>[],
  next: Flight<G>,
  taken: number,
  staleness: number,
): boolean {
  return flights.filter((flight) => flight !== next).every(({ issued }, j) => issued + staleness >= taken + 1 + j);
}

function checkCounts(counts: Readonly<Record<string, number>>, staleness: number): void {
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`distributedVariationalInference: ${name} must be a positive integer, not ${count}.`);
  }
  if (!Number.isInteger(staleness) || staleness < 0)
    throw new RangeError(`distributedVariationalInference: staleness must be an integer ≥ 0, not ${staleness}.`);
}
