import { untilInterrupted } from "../engine/interrupt.js";
import type { NaturalParameters } from "../models/conjugateModel.js";
import { packArrays, unpackArrays } from "./packedArrays.js";
import {
  type LocalMap,
  type LocalStatistics,
  loadStatistics,
  messageOf,
  type StatisticsPool,
  type StatisticsSource,
} from "./statisticsPool.js";

/** What is used of Moleculer's `ServiceBroker`. The library does not depend on the package: who wants it installs it and hands a broker over. */
export interface MoleculerBroker {
  /** Calls an action of one of the service's nodes; `timeout` in milliseconds. */
  call(action: string, parameters: object, options?: { readonly timeout?: number }): Promise<unknown>;
  /** Resolves once a node offers the service, and rejects after `timeout` milliseconds. */
  waitForServices(service: string, timeout?: number): Promise<unknown>;
}

/** A Moleculer service, for `broker.createService`. */
export interface MoleculerStatistics {
  readonly name: string;
  readonly actions: {
    readonly map: {
      /** Answers one call of the action: the statistics of a minibatch. */
      handler(context: { readonly params: unknown }): unknown;
    };
  };
}

/** Options of {@link moleculerPool}. */
export interface MoleculerPoolOptions {
  /** The name that the workers' service has. Default `"statistics"`. */
  readonly service?: string;
  /** How long to wait for a first worker, in seconds. Default 30. */
  readonly startSeconds?: number;
  /** What one local step may take, waiting in its worker's queue and sent again included, in seconds. Default 600. */
  readonly taskSeconds?: number;
}

/**
 * The service of one worker: give it to the broker of a process on any machine of the cluster.
 *
 * @param source - the map, or where this process finds it.
 * @param name - Default `"statistics"`; every model of a cluster needs one of its own.
 * @throws Error as `loadStatistics` does.
 */
export async function moleculerStatistics<G extends NaturalParameters, Batch>(
  source: LocalMap<G, Batch> | StatisticsSource<G, Batch>,
  name = "statistics",
): Promise<MoleculerStatistics> {
  const map = typeof source === "function" ? source : await loadStatistics(source);
  return {
    name,
    actions: {
      map: {
        handler: (context) => {
          const { global, batch } = unpackArrays(context.params) as { readonly global: G; readonly batch: Batch };
          const { statistics, bound } = map(global, batch);
          return packArrays({ statistics, bound });
        },
      },
    },
  };
}

/**
 * The workers of a Moleculer cluster, on one machine or many: Moleculer finds them, shares the local steps out among them, and knows when one is gone.
 *
 * Arrays travel bit by bit, so a run has the bits of a local one. A local step depends on nothing but what it is given: with Moleculer's `retryPolicy` switched on, those
 * of a worker that dies are done by another, and nothing else changes. q(θ) is sent with every part.
 *
 * @param broker - a broker that has been started. It stays the caller's, and `close` leaves it running.
 * @throws RangeError if an option is out of range; Error in one sentence if no worker comes in time, and from `map`, naming worker and cause, if one fails or is lost.
 */
export async function moleculerPool<G extends NaturalParameters, Batch>(
  broker: MoleculerBroker,
  options: MoleculerPoolOptions = {},
): Promise<StatisticsPool<G, Batch>> {
  const { service = "statistics", startSeconds = 30, taskSeconds = 600 } = options;
  for (const [name, value] of Object.entries({ startSeconds, taskSeconds })) {
    if (!(value > 0 && value < Infinity))
      throw new RangeError(`moleculerPool: ${name} must be positive and finite, not ${value}.`);
  }
  await untilInterrupted(
    broker.waitForServices(service, 1000 * startSeconds).catch((error: unknown) => {
      throw new Error(
        `moleculerPool: no worker offered the service "${service}" within ${startSeconds} s; start one, with the namespace and the transporter of this broker.`,
        { cause: error },
      );
    }),
  );
  let ended: Error | undefined;
  const pending = new Set<(error: Error) => void>();
  let last: { readonly global: G; readonly packed: unknown } | undefined;
  const call = async (global: G, batch: Batch): Promise<LocalStatistics<G>> => {
    if (ended) throw ended;
    if (last?.global !== global) last = { global, packed: packArrays(global) };
    const parameters = { global: last.packed, batch: packArrays(batch) };
    try {
      const answer = await broker.call(`${service}.map`, parameters, { timeout: 1000 * taskSeconds });
      return unpackArrays(answer) as LocalStatistics<G>;
    } catch (error) {
      throw new Error(`moleculerPool: ${describe(error)}.`, { cause: error });
    }
  };
  return {
    name: "moleculerPool",
    map: (global, batch) =>
      new Promise((resolve, reject) => {
        pending.add(reject);
        call(global, batch)
          .then(resolve, reject)
          .finally(() => pending.delete(reject));
      }),
    close: async () => {
      ended ??= new Error("moleculerPool: the pool is closed; open another.");
      for (const reject of pending) reject(ended);
    },
  };
}

/** Which worker failed, and why. Moleculer's errors name the node, their own in `data`, those of a handler beside the message. */
function describe(error: unknown): string {
  const { nodeID, data } = (error ?? {}) as {
    readonly nodeID?: unknown;
    readonly data?: { readonly nodeID?: unknown };
  };
  const node = data?.nodeID ?? nodeID;
  return `${node === undefined ? "a worker" : `worker "${String(node)}"`} failed: ${messageOf(error)}`;
}
