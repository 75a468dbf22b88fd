import type { NaturalParameters } from "../models/conjugateModel.js";
import type { LocalMap, LocalStatistics, StatisticsPool } from "./statisticsPool.js";

/** Options of {@link simulatedPool}. */
export interface SimulatedPoolOptions<G extends NaturalParameters, Batch> {
  readonly map: LocalMap<G, Batch>;
  /** How many workers are simulated. */
  readonly workers: number;
  /** What the local step number i takes, in simulated seconds, on the worker that does it; i counts what is asked for. Draw it from a key: `(i) => delays[i]`. */
  readonly seconds: (i: number, worker: number) => number;
}

/** What {@link simulatedPool} returns. */
export interface SimulatedPool<G extends NaturalParameters, Batch> extends StatisticsPool<G, Batch> {
  /** Simulated seconds since the pool was opened. */
  clock(): number;
}

/**
 * Workers with delays, simulated in this process: a queue, W servers, and a clock that moves on when who asks for statistics waits for them.
 *
 * Same delays, same order of events, same bits; real time plays no part. The global step takes no simulated time.
 *
 * @throws RangeError if `workers` is no positive integer, or from `map` if a delay is not positive and finite.
 */
export function simulatedPool<G extends NaturalParameters, Batch>(
  options: SimulatedPoolOptions<G, Batch>,
): SimulatedPool<G, Batch> {
  const { map, workers, seconds } = options;
  if (!Number.isInteger(workers) || workers < 1)
    throw new RangeError(`simulatedPool: workers must be a positive integer, not ${workers}.`);
  const free = new Float64Array(workers); // when each has done all that it was given
  let [now, asked] = [0, 0];
  let closed = false;
  const events: { readonly at: number; readonly finish: () => void; readonly drop: (error: Error) => void }[] = [];
  return {
    name: "simulatedPool",
    clock: () => now,
    map: (global, batch) =>
      new Promise<LocalStatistics<G>>((resolve, reject) => {
        if (closed) throw new Error("simulatedPool: the pool is closed; open another.");
        const worker = free.indexOf(Math.min(...free));
        const delay = seconds(asked, worker);
        if (!(delay > 0 && delay < Infinity)) {
          throw new RangeError(
            `simulatedPool: the seconds of local step ${asked} must be positive and finite, not ${delay}.`,
          );
        }
        asked++;
        free[worker] = Math.max(now, free[worker]) + delay;
        const finish = (): void => {
          try {
            resolve(map(global, batch));
          } catch (error) {
            reject(error);
          }
        };
        // Behind what ends at the same time and was asked for before.
        const place = events.findIndex(({ at }) => at > free[worker]);
        events.splice(place === -1 ? events.length : place, 0, { at: free[worker], finish, drop: reject });
      }),
    waiting: () => {
      const event = events.shift();
      if (!event) return;
      now = event.at;
      event.finish();
    },
    close: async () => {
      closed = true;
      for (const { drop } of events.splice(0)) drop(new Error("simulatedPool: the pool is closed; open another."));
    },
  };
}
