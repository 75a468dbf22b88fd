import { readFile } from "node:fs/promises";
import { type Corpus, parseLdaC } from "../data/ldaC.js";
import { corpusDataset } from "../models/corpusDataset.js";
import { type LdaGlobal, type LdaOptions, latentDirichletAllocation } from "../models/latentDirichletAllocation.js";
import { type LocalMap, rowsMap, type StatisticsSource } from "./statisticsPool.js";

/** Compiled also where this file is run from its source, since a worker runs JavaScript. */
const module: string = new URL("../../dist/methods/ldaStatistics.js", import.meta.url).href;

/**
 * The local step of LDA for workers, of batches that they are sent.
 *
 * @param model - as for `latentDirichletAllocation`.
 */
export function ldaStatistics(model: LdaOptions): StatisticsSource<LdaGlobal, Corpus>;
/**
 * The local step of LDA for workers, of rows of a corpus that each of them reads, so that only numbers of rows need to be sent.
 *
 * @param documents - the path of a file in the lda-c format.
 */
export function ldaStatistics(model: LdaOptions, documents: string): StatisticsSource<LdaGlobal, Int32Array>;
export function ldaStatistics(model: LdaOptions, documents?: string): StatisticsSource<LdaGlobal, never> {
  return { module, settings: { model, documents } };
}

/**
 * What a worker makes of {@link ldaStatistics}.
 *
 * @internal
 */
export async function statistics(settings: {
  readonly model: LdaOptions;
  readonly documents?: string;
}): Promise<LocalMap<LdaGlobal, Corpus> | LocalMap<LdaGlobal, Int32Array>> {
  const { model: options, documents } = settings;
  const model = latentDirichletAllocation(options);
  if (documents === undefined) return (global: LdaGlobal, corpus: Corpus) => model.local(global, corpus);
  const corpus = parseLdaC(await readFile(documents), documents, { vocabulary: options.vocabulary });
  return rowsMap(model, corpusDataset(corpus));
}
