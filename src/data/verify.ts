import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { DataFile } from "./catalogue.js";
import { DataError } from "./dataError.js";

const unzip = promisify(gunzip);

/** Lower-case hexadecimal sha256. */
export function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/**
 * The uncompressed content of a data file, if it is what the catalogue says.
 *
 * @param stored - the bytes as stored: gzipped (known by their first two bytes) or plain.
 * @param file - what they should be.
 * @param where - path or address, for the error.
 * @param remedy - what to do about damage, for the error.
 * @throws DataError (`"damaged"`) if they are truncated, no gzip, or have another length or sha256.
 */
export async function verify(stored: Uint8Array, file: DataFile, where: string, remedy: string): Promise<Uint8Array> {
  const damaged = (what: string, cause?: unknown): DataError => {
    return new DataError("damaged", `The data file ${where} is damaged (${what}); ${remedy}.`, { cause });
  };
  let content = stored;
  if (stored[0] === 0x1f && stored[1] === 0x8b) {
    try {
      // One byte more than expected is enough to know that it is too long.
      content = await unzip(stored, { maxOutputLength: file.bytes + 1 });
    } catch (error) {
      const tooLong = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
      const message = error instanceof Error ? error.message : String(error);
      throw damaged(tooLong ? `longer than ${file.bytes} bytes` : `not whole as gzip: ${message}`, error);
    }
  }
  if (content.length !== file.bytes) throw damaged(`${content.length} bytes instead of ${file.bytes}`);
  const found = sha256(content);
  if (found !== file.sha256) throw damaged(`sha256 ${found.slice(0, 12)}… instead of ${file.sha256.slice(0, 12)}…`);
  // A plain view: Buffer's own `slice` would not copy, contrary to what its type promises.
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}
