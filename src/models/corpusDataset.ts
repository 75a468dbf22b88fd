import { type Corpus, selectDocuments } from "../data/ldaC.js";
import type { Dataset } from "./conjugateModel.js";

/**
 * A corpus as a data set that batches can be taken of.
 *
 * @throws RangeError if it has no documents.
 */
export function corpusDataset(corpus: Corpus): Dataset<Corpus> {
  if (corpus.size === 0) throw new RangeError("corpusDataset: the corpus has no documents; give it at least one.");
  return { size: corpus.size, all: corpus, take: (rows) => selectDocuments(corpus, rows) };
}
