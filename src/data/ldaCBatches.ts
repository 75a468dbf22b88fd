import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { BatchStream, StreamedBatch, StreamPosition } from "./batchStream.js";
import { DataError } from "./dataError.js";
import { type InspectLdaCOptions, inspectLdaC } from "./inspectLdaC.js";
import type { Corpus } from "./ldaC.js";
import { checkPositive, readLdaC } from "./ldaCStream.js";

/** Options of {@link ldaCBatches}. */
export interface LdaCBatchesOptions {
  /** The file. */
  readonly path: string;
  /** V. */
  readonly vocabulary: number;
  /** S. */
  readonly batchSize: number;
  /** N. Default: counted, and every line checked, in a pass of its own. */
  readonly documents?: number;
  /** Called now and then in that pass; what it returns is awaited. */
  readonly onProgress?: InspectLdaCOptions["onProgress"];
}

/** How much of each end of the file tells it from others, in bytes, and of how many blocks between. */
const [ends, blocks, block] = [1 << 16, 64, 1 << 12];

/**
 * A corpus on disk in the lda-c format as batches of S documents, in the order of the file, in the memory of two batches and one block of the file.
 *
 * Batches have S documents, and the last of a pass up to 2S − 1, so that none is so small that N over its size is far out. Stochastic inference over them takes
 * the documents to be in random order: shuffle a file that is sorted, once.
 *
 * A file is told from others by its size, its first and last 64 kB and 64 blocks of 4 kB evenly between; one of up to 384 kB by all of it. A change that keeps the size and misses these
 * is not noticed: where that matters, put a checksum of the file into the checkpoint's `settings`.
 *
 * @throws RangeError if a count is not a positive integer or S is more than N; DataError as `streamLdaC` does, and at the end of a pass if the file has more or fewer
 *   documents than N.
 */
export async function ldaCBatches(options: LdaCBatchesOptions): Promise<BatchStream<Corpus>> {
  const { path, vocabulary, batchSize } = options;
  checkPositive("ldaCBatches", { vocabulary, batchSize, documents: options.documents ?? 1 });
  const { onProgress } = options;
  const total =
    options.documents ?? (await inspectLdaC(path, { vocabulary, ...(onProgress && { onProgress }) })).documents;
  if (batchSize > total)
    throw new RangeError(
      `ldaCBatches: ${path} has ${total} documents, fewer than a batch of ${batchSize}; give smaller ones.`,
    );
  const { bytes, digest } = await fingerprint(path);
  const miscounted = (found: string): DataError =>
    new DataError(
      "damaged",
      `${path} has ${found} documents, but ${total} were promised; leave them to be counted, or mend the file.`,
    );
  async function* pass(from?: StreamPosition): AsyncGenerator<StreamedBatch<Corpus>, void, void> {
    const sizeAt = (documents: number): number => (total - documents < 2 * batchSize ? total - documents : batchSize);
    let done = from?.documents ?? 0;
    if (done === total) return;
    for await (const read of readLdaC(path, { sizeAt: (at) => Math.max(1, sizeAt(at)), vocabulary, from })) {
      done = read.next.documents;
      if (done > total) throw miscounted(`more than ${total}`);
      if (read.size < sizeAt(done - read.size)) throw miscounted(`${done}`);
      yield read;
    }
    if (done < total) throw miscounted(`${done}`);
  }
  return {
    name: path,
    total,
    batchSize,
    batches: Math.floor(total / batchSize),
    identity: {
      "corpus's size in bytes": bytes,
      "corpus's ends and 64 blocks between": digest,
      vocabulary,
      documents: total,
      batchSize,
    },
    open: pass,
  };
}

/** The size of a file, and a digest of its two ends and of blocks between. */
async function fingerprint(path: string): Promise<{ readonly bytes: number; readonly digest: string }> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    throw new DataError(
      "missing",
      `The corpus ${path} cannot be read (${error.code}); give the path of an lda-c file.`,
      {
        cause: error,
      },
    );
  });
  try {
    const bytes = (await file.stat()).size;
    const hash = createHash("sha256");
    const read = async (from: number, length: number): Promise<void> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
      hash.update(buffer.subarray(0, bytesRead));
    };
    const between = bytes - 2 * ends;
    if (between <= blocks * block) await read(0, bytes);
    else {
      await read(0, ends);
      for (let b = 0; b < blocks; b++) await read(ends + Math.floor(((between - block) * b) / (blocks - 1)), block);
      await read(bytes - ends, ends);
    }
    return { bytes, digest: `sha256 ${hash.digest("hex").slice(0, 16)}` };
  } finally {
    await file.close();
  }
}
