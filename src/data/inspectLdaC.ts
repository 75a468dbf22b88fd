import { stat } from "node:fs/promises";
import { breathe } from "../engine/interrupt.js";
import { readLdaC } from "./ldaCStream.js";

/** What {@link inspectLdaC} finds. */
export interface LdaCSummary {
  /** D. */
  readonly documents: number;
  /** One more than the largest word. */
  readonly vocabulary: number;
  /** Σ of the counts. */
  readonly tokens: number;
  /** Σ_d of the distinct words of document d. */
  readonly entries: number;
  /** The most distinct words that a document has. */
  readonly longest: number;
  /** The file's size. */
  readonly bytes: number;
}

/** Options of {@link inspectLdaC}. */
export interface InspectLdaCOptions {
  /** V, to be held to. Default: any word up to 2²⁴ − 1 is taken. */
  readonly vocabulary?: number;
  /** Called now and then, with what has been read of a file of `total` bytes; what it returns is awaited. */
  readonly onProgress?: (read: {
    readonly documents: number;
    readonly bytes: number;
    readonly total: number;
  }) => void | Promise<void>;
}

/**
 * Reads a corpus in the lda-c format once, in bounded memory: how much there is, and whether every line is well formed, before hours are spent on it.
 *
 * @throws DataError as `streamLdaC` does; Error named `KeyboardInterrupt` if the cell was interrupted.
 */
export async function inspectLdaC(path: string, options: InspectLdaCOptions = {}): Promise<LdaCSummary> {
  // A file that is not there is refused where it is opened.
  const total = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  let [documents, vocabulary, tokens, entries, longest] = [0, 0, 0, 0, 0];
  for await (const { batch, next } of readLdaC(path, { sizeAt: () => 1000, vocabulary: options.vocabulary })) {
    await breathe();
    documents = next.documents;
    vocabulary = Math.max(vocabulary, batch.vocabulary);
    entries += batch.words.length;
    for (const count of batch.counts) tokens += count;
    for (let d = 0; d < batch.size; d++) longest = Math.max(longest, batch.offsets[d + 1] - batch.offsets[d]);
    await options.onProgress?.({ documents, bytes: next.byte, total });
  }
  return {
    documents,
    vocabulary: options.vocabulary ?? vocabulary,
    tokens,
    entries,
    longest,
    bytes: total,
  };
}
