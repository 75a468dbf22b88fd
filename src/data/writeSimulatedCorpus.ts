import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { breathe } from "../engine/interrupt.js";
import { DataError } from "./dataError.js";
import { type SimulatedCorpusOptions, simulatedDocuments } from "./simulatedCorpus.js";

/** Options of {@link writeSimulatedCorpus}. */
export interface WriteSimulatedCorpusOptions extends SimulatedCorpusOptions {
  /** Called about every megabyte and at the end; what it returns is awaited. */
  readonly onProgress?: (written: { readonly documents: number; readonly bytes: number }) => void | Promise<void>;
}

/** The text that is held before it is written, in characters. */
const block = 1 << 20;

/**
 * Writes the documents of `simulatedCorpus(options)` to a file in the lda-c format, in the memory of the topics and about a megabyte, however many documents there are.
 *
 * The file takes its name when it is whole: a broken run leaves none, and an earlier file of that name as it was.
 *
 * @param path - the file; its folder is made where it is not there.
 * @returns how many documents and bytes it has.
 * @throws RangeError as `simulatedCorpus` does; DataError with reason `"missing"` if the file cannot be written; Error named `KeyboardInterrupt` if the cell was interrupted.
 */
export async function writeSimulatedCorpus(
  path: string,
  options: WriteSimulatedCorpusOptions,
): Promise<{ readonly documents: number; readonly bytes: number }> {
  const document = simulatedDocuments(options);
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  let bytes = 0;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, "w");
    try {
      let text = "";
      for (let d = 0; d < options.documents; d++) {
        const pairs = document(d);
        text += `${pairs.length} ${pairs.map(([word, count]) => `${word}:${count}`).join(" ")}\n`;
        await breathe();
        if (text.length < block && d + 1 < options.documents) continue;
        await file.writeFile(text);
        bytes += text.length;
        text = "";
        await options.onProgress?.({ documents: d + 1, bytes });
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw new DataError(
      "missing",
      `The corpus ${path} cannot be written (${code}); give the path of a file in a folder that can be written.`,
      {
        cause: error,
      },
    );
  }
  return { documents: options.documents, bytes };
}
