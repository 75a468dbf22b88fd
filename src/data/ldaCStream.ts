import { createReadStream } from "node:fs";
import { DataError } from "./dataError.js";
import { type Corpus, corpusBuilder } from "./ldaC.js";

/** Options of {@link streamLdaC}. */
export interface StreamLdaCOptions {
  /** Documents in a batch; the last one may have fewer. */
  readonly batchSize: number;
  /** V: it must be known, since the file is not read ahead. */
  readonly vocabulary: number;
}

/**
 * Reads a corpus in the lda-c format from disk, a batch of documents at a time, in the memory of one batch and one block of the file.
 *
 * @param path - the file.
 * @throws RangeError if the batch size or V is not a positive integer; DataError with reason `"missing"` if the file cannot be opened, or `"damaged"`, naming
 *   file and line, as `parseLdaC` does.
 */
export async function* streamLdaC(path: string, options: StreamLdaCOptions): AsyncGenerator<Corpus, void, void> {
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`streamLdaC: ${name} must be a positive integer, not ${value}.`);
  }
  const builder = corpusBuilder(path, options.vocabulary);
  let rest: Uint8Array = new Uint8Array(0);
  let line = 0;
  let any = false;
  try {
    for await (const block of createReadStream(path) as AsyncIterable<Uint8Array>) {
      const content = rest.length === 0 ? block : Buffer.concat([rest, block]);
      let start = 0;
      for (let end = content.indexOf(10); end !== -1; end = content.indexOf(10, start)) {
        builder.add(content, start, end, ++line);
        start = end + 1;
        if (builder.documents < options.batchSize) continue;
        any = true;
        yield builder.finish();
      }
      rest = content.subarray(start);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw new DataError("missing", `The corpus ${path} cannot be read (${code}); give the path of an lda-c file.`, {
      cause: error,
    });
  }
  if (rest.length > 0) builder.add(rest, 0, rest.length, ++line);
  if (builder.documents > 0) yield builder.finish();
  else if (!any) throw new DataError("damaged", `${path} holds no documents.`);
}
