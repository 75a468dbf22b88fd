import { simulatedCorpus } from "../../src/data/simulatedCorpus.js";
import { randomKey } from "../../src/engine/random.js";
import type { DistributedOptions } from "../../src/methods/distributedVariationalInference.js";
import { rowsInParts } from "../../src/methods/minibatchParts.js";
import {
  type LocalMap,
  rowsMap,
  type StatisticsPool,
  type StatisticsSource,
} from "../../src/methods/statisticsPool.js";
import { corpusDataset } from "../../src/models/corpusDataset.js";
import { type LdaGlobal, latentDirichletAllocation } from "../../src/models/latentDirichletAllocation.js";
import { robbinsMonro } from "../../src/optimize/robbinsMonro.js";

/** A distributed run of LDA, for the tests of pools: ninety documents, minibatches of thirty in three parts. */
const options = { topics: 3, vocabulary: 30, alpha: 0.3, eta: 0.4 };
const corpus = simulatedCorpus({ key: randomKey(3), documents: 90, vocabulary: 30, topics: 3, length: 20 });
export const model = latentDirichletAllocation(options);
export const data = corpusDataset(corpus);
export const start = model.start(randomKey(4));
export const key = randomKey(11);
export const rate = robbinsMonro({ kappa: 0.7, tau: 2 });
export const localMap: LocalMap<LdaGlobal, Int32Array> = rowsMap(model, data);

export function distributed(
  pool: StatisticsPool<LdaGlobal, Int32Array>,
  changes: Partial<DistributedOptions<LdaGlobal, Int32Array>> = {},
): DistributedOptions<LdaGlobal, Int32Array> {
  const minibatches = rowsInParts({ key, total: 90, batchSize: 30, parts: 3 });
  return { model, pool, total: 90, minibatches, rate, steps: 20, traceEvery: 1, start, ...changes };
}

/** The same documents and model for a worker, and how it is to fail. */
export function workerSource(fail?: "start" | "throw" | "exit" | "hang"): StatisticsSource<LdaGlobal, Int32Array> {
  const module = new URL("workers/documents.mjs", import.meta.url).href;
  return { module, settings: { model: options, corpus, fail } };
}
