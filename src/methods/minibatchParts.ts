import { type Corpus, selectDocuments } from "../data/ldaC.js";
import type { Key } from "../engine/random.js";
import type { ConjugateModel, Dataset, NaturalParameters } from "../models/conjugateModel.js";
import { shuffledRows } from "../optimize/shuffledRows.js";
import type { LocalStatistics } from "./statisticsPool.js";

/** A minibatch, cut into parts for several workers. */
export interface CutMinibatch<Batch> {
  readonly parts: readonly Batch[];
  /** S, how many data all parts have. */
  readonly size: number;
}

/**
 * Cuts rows into consecutive parts whose lengths differ by at most one.
 *
 * @throws RangeError if there are fewer rows than parts, or `parts` is no positive integer.
 */
export function cutRows(rows: Int32Array, parts: number): Int32Array[] {
  if (!Number.isInteger(parts) || parts < 1 || parts > rows.length) {
    throw new RangeError(`cutRows: parts must be an integer from 1 to the ${rows.length} rows, not ${parts}.`);
  }
  const at = (p: number): number => Math.floor((p * rows.length) / parts);
  return Array.from({ length: parts }, (_, p) => rows.slice(at(p), at(p + 1)));
}

/**
 * The minibatches of `stochasticVariationalInference` with the same key, N and S, as rows in parts, for workers that have the data.
 *
 * @throws RangeError, at once, if S is not an integer from 1 to N, or there are more parts than S.
 */
export function rowsInParts(options: {
  readonly key: Key;
  /** N. */
  readonly total: number;
  /** S. */
  readonly batchSize: number;
  readonly parts: number;
}): (step: number) => CutMinibatch<Int32Array> {
  const { key, total, batchSize, parts } = options;
  const rowsAt = shuffledRows(key, total, batchSize);
  cutRows(new Int32Array(batchSize), parts);
  return (step) => ({ parts: cutRows(rowsAt(step), parts), size: batchSize });
}

/** {@link rowsInParts} with the data taken here, for workers that have none. */
export function batchesInParts<Batch>(
  data: Dataset<Batch>,
  options: { readonly key: Key; readonly batchSize: number; readonly parts: number },
): (step: number) => CutMinibatch<Batch> {
  const minibatchAt = rowsInParts({ ...options, total: data.size });
  return (step) => {
    const { parts, size } = minibatchAt(step);
    return { parts: parts.map((rows) => data.take(rows)), size };
  };
}

/** The documents of a corpus in consecutive parts, as many as asked for or as there are documents. */
export function corpusInParts(corpus: Corpus, parts: number): Corpus[] {
  const rows = Int32Array.from({ length: corpus.size }, (_, d) => d);
  return cutRows(rows, Math.min(parts, corpus.size)).map((part) => selectDocuments(corpus, part));
}

/** A data set whose batches come in parts. */
export function datasetInParts<Batch>(data: Dataset<Batch>, parts: number): Dataset<readonly Batch[]> {
  return {
    size: data.size,
    all: [data.all],
    take: (rows) => cutRows(rows, parts).map((part) => data.take(part)),
  };
}

/**
 * A model of batches in parts: the local step of each part, summed in their order.
 *
 * In exact arithmetic it is the model. In floating point it is what workers compute, to the bit, wherever and in which order they do it: `stochasticVariationalInference` of
 * this model is the single process that a distributed run is held to.
 */
export function modelInParts<G extends NaturalParameters, Batch>(
  model: ConjugateModel<G, Batch>,
): ConjugateModel<G, readonly Batch[], never> {
  return {
    name: `${model.name}, in parts`,
    settings: model.settings,
    prior: model.prior,
    kl: (global, prior) => model.kl(global, prior),
    local: (global, parts) =>
      sumOfParts(
        global,
        parts.map((part) => model.local(global, part)),
      ),
  };
}

/**
 * The sum of the parts' statistics and bounds, in their order.
 *
 * @throws RangeError if a part's statistics do not have the names and lengths of q(θ): its worker has another model.
 */
export function sumOfParts<G extends NaturalParameters>(
  global: G,
  parts: readonly LocalStatistics<G>[],
): LocalStatistics<G> {
  let bound = 0;
  for (const part of parts) bound += part.bound;
  const sum: Record<string, Float64Array> = {};
  for (const [name, { length }] of Object.entries(global)) {
    for (const [p, { statistics }] of parts.entries()) {
      const added = statistics[name];
      if (added?.length !== length) {
        throw new RangeError(
          `The statistics "${name}" of part ${p} have ${added?.length ?? "no"} numbers, but q(θ) has ${length}: give every worker the same model.`,
        );
      }
      if (p === 0) sum[name] = added;
      else if (p === 1) sum[name] = sum[name].map((value, i) => value + added[i]);
      else for (let i = 0; i < length; i++) sum[name][i] += added[i];
    }
  }
  return { statistics: sum as G, bound };
}
