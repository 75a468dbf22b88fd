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
 * @throws DataError (`"damaged"`), saying how: truncated, no gzip, another length, another sha256.
 */
export async function verify(stored: Uint8Array, file: DataFile): Promise<Uint8Array> {
  const content = stored[0] === 0x1f && stored[1] === 0x8b ? await unpack(stored, file.bytes) : stored;
  if (content.length !== file.bytes) {
    throw new DataError("damaged", `${content.length} bytes instead of ${file.bytes}`);
  }
  const found = sha256(content);
  if (found !== file.sha256) {
    throw new DataError("damaged", `sha256 ${found.slice(0, 12)}… instead of ${file.sha256.slice(0, 12)}…`);
  }
  // A plain view: Buffer's own `slice` would not copy, contrary to what its type promises.
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}

async function unpack(stored: Uint8Array, expected: number): Promise<Uint8Array> {
  try {
    // One byte more than expected is enough to know that it is too long.
    return await unzip(stored, { maxOutputLength: expected + 1 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === "ERR_BUFFER_TOO_LARGE" ? `longer than ${expected} bytes` : `not whole as gzip: ${message}`;
    throw new DataError("damaged", what, { cause: error });
  }
}
