import { type Corpus, selectDocuments } from "./ldaC.js";

/**
 * Splits a corpus by documents: number `first`, `first + every`, … for the test, all others for training.
 *
 * @param every - every how many-th document is held out, 2 to D.
 * @param first - the first of them, 0 to `every` − 1; 0 by default.
 * @throws RangeError if one of them is out of range.
 */
export function holdOutDocuments(
  corpus: Corpus,
  every: number,
  first = 0,
): { readonly training: Corpus; readonly test: Corpus } {
  const D = corpus.size;
  if (!Number.isInteger(every) || every < 2 || every > D)
    throw new RangeError(`holdOutDocuments: every must be an integer from 2 to ${D}, the documents, not ${every}.`);
  if (!Number.isInteger(first) || first < 0 || first >= every)
    throw new RangeError(`holdOutDocuments: first must be an integer from 0 to ${every - 1}, not ${first}.`);
  const rows = (held: boolean): Int32Array =>
    Int32Array.from({ length: D }, (_, d) => d).filter((d) => (d % every === first) === held);
  return { training: selectDocuments(corpus, rows(false)), test: selectDocuments(corpus, rows(true)) };
}
