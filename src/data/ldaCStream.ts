import { createReadStream } from "node:fs";
import type { StreamedBatch, StreamPosition } from "./batchStream.js";
import { DataError } from "./dataError.js";
import { type Corpus, corpusBuilder } from "./ldaC.js";

/** Options of {@link streamLdaC}. */
export interface StreamLdaCOptions {
  /** Documents in a batch; the last one may have fewer. */
  readonly batchSize: number;
  /** V: it must be known, since the file is not read ahead. */
  readonly vocabulary: number;
}

/** What a line may have, in bytes: more is no document, and would fill the memory. */
const longestLine = 1 << 26;

/**
 * Reads a corpus in the lda-c format from disk, a batch of documents at a time, in the memory of one batch and one block of the file.
 *
 * @param path - the file.
 * @throws RangeError if the batch size or V is not a positive integer; DataError with reason `"missing"` if the file cannot be opened, or `"damaged"`, naming
 *   file and line, as `parseLdaC` does or if a line is longer than 64 MiB.
 */
export async function* streamLdaC(path: string, options: StreamLdaCOptions): AsyncGenerator<Corpus, void, void> {
  const { batchSize, vocabulary } = options;
  checkPositive("streamLdaC", { batchSize, vocabulary });
  for await (const { batch } of readLdaC(path, { sizeAt: () => batchSize, vocabulary })) yield batch;
}

/**
 * Reads batches, each with the place where the file goes on.
 *
 * @param options.sizeAt - how many documents the batch has that begins after so many documents; the last of the file may have fewer.
 * @param options.vocabulary - V; where it is not given, the largest word so far decides.
 * @param options.from - where to begin: a `next` of before.
 * @throws DataError as {@link streamLdaC} does.
 * @internal
 */
export async function* readLdaC(
  path: string,
  options: {
    readonly sizeAt: (documents: number) => number;
    readonly vocabulary?: number | undefined;
    readonly from?: StreamPosition | undefined;
  },
): AsyncGenerator<StreamedBatch<Corpus>, void, void> {
  const builder = corpusBuilder(path, options.vocabulary);
  let rest: Uint8Array = new Uint8Array(0);
  let { byte, line, documents } = options.from ?? { byte: 0, line: 0, documents: 0 };
  let size = options.sizeAt(documents);
  const finish = (): StreamedBatch<Corpus> => {
    const batch = builder.finish();
    documents += batch.size;
    size = options.sizeAt(documents);
    return { batch, size: batch.size, next: { byte, line, documents } };
  };
  try {
    for await (const block of createReadStream(path, { start: byte }) as AsyncIterable<Uint8Array>) {
      const content = rest.length === 0 ? block : Buffer.concat([rest, block]);
      let start = 0;
      for (let end = content.indexOf(10); end !== -1; end = content.indexOf(10, start)) {
        builder.add(content, start, end, ++line);
        byte += end + 1 - start;
        start = end + 1;
        if (builder.documents < size) continue;
        yield finish();
      }
      rest = content.subarray(start);
      if (rest.length > longestLine)
        throw new DataError("damaged", `${path}, line ${line + 1}: it has more than 64 MiB; is this an lda-c file?`);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw new DataError("missing", `The corpus ${path} cannot be read (${code}); give the path of an lda-c file.`, {
      cause: error,
    });
  }
  if (rest.length > 0) {
    builder.add(rest, 0, rest.length, ++line);
    byte += rest.length;
  }
  if (builder.documents > 0) yield finish();
  else if (documents === 0) throw new DataError("damaged", `${path} holds no documents.`);
}

/** @internal */
export function checkPositive(where: string, counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`${where}: ${name} must be a positive integer, not ${value}.`);
  }
}
