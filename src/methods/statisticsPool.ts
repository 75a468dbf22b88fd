import { breathe } from "../engine/interrupt.js";
import type { ConjugateModel, Dataset, NaturalParameters } from "../models/conjugateModel.js";

/** The statistics of a batch, and its part of the bound. */
export interface LocalStatistics<G extends NaturalParameters> {
  /** Σ_i E[t(ξ_i, x_i)] over the batch. */
  readonly statistics: G;
  /** Σ_i E_q[log p(x_i, ξ_i | θ) − log q(ξ_i)] over the batch. */
  readonly bound: number;
}

/** The local step on a batch at q(θ): what workers do, the *map* of map/reduce. It depends on nothing else, so it may be done anywhere, and done again. */
export type LocalMap<G extends NaturalParameters, Batch> = (global: G, batch: Batch) => LocalStatistics<G>;

/** Workers that do local steps. The *reduce*, a sum and a global step, is for whoever asks. */
export interface StatisticsPool<G extends NaturalParameters, Batch> {
  /** For errors. */
  readonly name: string;
  /**
   * Asks for the local step on a batch; many may be asked for at once. `global` must not be changed until it is done.
   *
   * @throws Error, in one sentence that names worker and cause, if a worker fails.
   */
  map(global: G, batch: Batch): Promise<LocalStatistics<G>>;
  /** Ends the workers; what was asked for and is not done is rejected. Safe to call again. */
  close(): Promise<void>;
  /** Called by who has nothing more to ask for until something is done; a pool that simulates time lets it pass here. */
  waiting?(): void;
}

/** Where workers find their map, as data: a module that exports `statistics(settings)`, which returns a {@link LocalMap} or a promise of one. */
export interface StatisticsSource<G extends NaturalParameters, Batch> {
  /** A URL or a package's name, as `import()` takes it. */
  readonly module: string;
  /** What the module is given: numbers, strings, typed arrays, and records and arrays of them. */
  readonly settings: unknown;
  /** Never there: it carries the types. */
  readonly map?: LocalMap<G, Batch>;
}

/**
 * Imports a source's module and makes its map.
 *
 * @throws Error in one sentence if the module cannot be imported, exports no function `statistics`, or that throws.
 */
export async function loadStatistics<G extends NaturalParameters, Batch>(
  source: StatisticsSource<G, Batch>,
): Promise<LocalMap<G, Batch>> {
  const because = (error: unknown): Error =>
    new Error(`The module ${source.module} gives no statistics: ${messageOf(error)}.`, { cause: error });
  try {
    const { statistics } = (await import(/* @vite-ignore */ source.module)) as Readonly<Record<string, unknown>>;
    if (typeof statistics !== "function") throw new Error("it exports no function of the name statistics");
    return (await statistics(source.settings)) as LocalMap<G, Batch>;
  } catch (error) {
    throw because(error);
  }
}

/** The reference: local steps done here, one after another, in the order in which they are asked for. */
export function localPool<G extends NaturalParameters, Batch>(map: LocalMap<G, Batch>): StatisticsPool<G, Batch> {
  let closed = false;
  return {
    name: "localPool",
    map: async (global, batch) => {
      await breathe();
      if (closed) throw new Error("localPool: the pool is closed; open another.");
      return map(global, batch);
    },
    close: async () => {
      closed = true;
    },
  };
}

/** The map of a worker that has the data itself: it is told rows. */
export function rowsMap<G extends NaturalParameters, Batch>(
  model: Pick<ConjugateModel<G, Batch>, "local">,
  data: Pick<Dataset<Batch>, "take">,
): LocalMap<G, Int32Array> {
  return (global, rows) => model.local(global, data.take(rows));
}

/**
 * What an error says, without the full stop.
 *
 * @internal
 */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
}
