import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { throwIfInterrupted } from "../engine/interrupt.js";
import type { DataFile } from "./catalogue.js";
import { verify } from "./verify.js";

/** How long a mirror may say nothing, in milliseconds, before the next one is tried. */
const longestSilence = 5_000;

/**
 * Download a data file from the first mirror that gives the right content, into a folder.
 *
 * The file appears whole, verified and at once (written beside its place, then renamed); a failed download leaves nothing.
 *
 * @param file - what to download; it needs at least one mirror.
 * @param folder - the data folder; made if it is absent.
 * @param report - told one line before each attempt.
 * @returns the uncompressed content.
 * @throws Error that says of each mirror why it failed; or the file system's own, if the folder cannot be written.
 */
export async function download(
  file: DataFile,
  folder: string,
  report: (line: string) => void = () => {},
): Promise<Uint8Array> {
  const failures: string[] = [];
  for (const address of file.mirrors) {
    report(`Downloading ${address}`);
    let stored: Uint8Array;
    let content: Uint8Array;
    try {
      stored = await receive(address, file.bytes + 65_536);
      content = await verify(stored, file);
    } catch (error) {
      throwIfInterrupted();
      failures.push(`${new URL(address).host}: ${describe(error)}`);
      continue;
    }
    const gzipped = stored[0] === 0x1f && stored[1] === 0x8b;
    await writeAtomically(join(folder, gzipped ? `${file.name}.gz` : file.name), stored);
    return content;
  }
  throw new Error(failures.join("; "));
}

/** The body at an address; a silence longer than allowed, or more than `most` bytes, ends it. */
async function receive(address: string, most: number): Promise<Uint8Array> {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new Error(`no answer within ${longestSilence / 1000} s`)),
    longestSilence,
  );
  try {
    const response = await fetch(address, { signal: controller.signal });
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      timer.refresh();
      throwIfInterrupted();
      length += chunk.length;
      if (length > most) throw new Error(`more than ${most} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

async function writeAtomically(path: string, content: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${randomUUID()}.part`;
  try {
    await writeFile(partial, content);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // `fetch failed` says nothing; its cause does.
  return error.cause instanceof Error && error.message === "fetch failed" ? error.cause.message : error.message;
}
