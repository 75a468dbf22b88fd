import { DataError } from "./dataError.js";
import type { LocateOptions } from "./locate.js";
import { type TextCorpus, textCorpus } from "./textCorpus.js";

const names = ["ap", "reuters", "simulated"] as const;
type Name = (typeof names)[number];

/**
 * The corpus that the environment asks for, so that a notebook runs on one of your own: `MARGINALIA_CORPUS` is `ap`, `reuters`, `simulated`, or the path of a file in the
 * lda-c format, and `MARGINALIA_VOCABULARY` then the path of its words, one a line.
 *
 * @param otherwise - what it is where `MARGINALIA_CORPUS` is not set.
 * @param options - as `textCorpus` takes; `fallback` stands in for the named corpora only, never for a path.
 * @throws DataError with reason `"missing"` if a path comes without its vocabulary, and as `textCorpus` does: `"damaged"`, naming file and line, where a file is malformed.
 */
export async function requestedCorpus(
  otherwise: Name,
  options: LocateOptions & { readonly fallback?: boolean } = {},
): Promise<TextCorpus> {
  const { MARGINALIA_CORPUS: documents, MARGINALIA_VOCABULARY: vocabulary } = options.environment ?? process.env;
  if (!documents) return textCorpus(otherwise, options);
  const name = names.find((known) => known === documents);
  if (name) return textCorpus(name, options);
  if (!vocabulary) {
    throw new DataError(
      "missing",
      `MARGINALIA_CORPUS names ${documents}, none of ${names.join(", ")}: if it is an lda-c file, name the file of its words, one a line, in MARGINALIA_VOCABULARY.`,
    );
  }
  return textCorpus({ documents, vocabulary });
}
