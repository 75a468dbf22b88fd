import { inflateRawSync } from "node:zlib";

/** One file of a zip archive. */
export interface ZipEntry {
  /** Path inside the archive, with `/`. */
  readonly name: string;
  /** Length of the uncompressed content. */
  readonly bytes: number;
  /** The uncompressed content, unpacked at each call. */
  read(): Uint8Array;
}

const [endOfDirectory, directoryEntry, localFile] = [0x06054b50, 0x02014b50, 0x04034b50];
const [stored, deflated] = [0, 8];

/**
 * The files of a zip archive, in the order of its directory; folders are left out.
 *
 * @param content the whole archive: one disk, not encrypted, below 4 GB, each file stored or deflated.
 * @param what the archive's name, for the error.
 * @throws RangeError if it is no zip archive, ends too early, or uses what is not read here.
 * Source: PKWARE, ".ZIP file format specification" (APPNOTE), sections 4.3.7, 4.3.12 and 4.3.16.
 */
export function parseZip(content: Uint8Array, what: string): readonly ZipEntry[] {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const text = new TextDecoder();
  const at = (offset: number, signature: number): number => {
    if (offset >= 0 && offset + 4 <= content.length && view.getUint32(offset, true) === signature) return offset;
    throw new RangeError(`${what} is no whole zip archive: what should stand at byte ${offset} does not.`);
  };
  // The end record may be followed by a comment of up to 65,535 bytes.
  let end = content.length - 22;
  while (end > 0 && end > content.length - 22 - 0xffff && view.getUint32(end, true) !== endOfDirectory) end--;
  at(end, endOfDirectory);
  const count = view.getUint16(end + 10, true);
  const entries: ZipEntry[] = [];
  let offset = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    at(offset, directoryEntry);
    const [method, packed, bytes] = [
      view.getUint16(offset + 10, true),
      ...[20, 24].map((field) => view.getUint32(offset + field, true)),
    ];
    const [nameLength, ...others] = [28, 30, 32].map((field) => view.getUint16(offset + field, true));
    const name = text.decode(content.subarray(offset + 46, offset + 46 + nameLength!));
    const local = view.getUint32(offset + 42, true);
    if (method !== stored && method !== deflated) {
      throw new RangeError(`${what}: ${name} is packed by method ${method}; only stored and deflated files are read.`);
    }
    const read = (): Uint8Array => {
      const header = at(local, localFile);
      // The local header's extra field may be longer than the directory's.
      const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
      const body = content.subarray(start, start + packed!);
      const unpacked = method === stored ? body : inflateRawSync(body);
      if (unpacked.length === bytes) return unpacked;
      throw new RangeError(`${what}: ${name} has ${unpacked.length} bytes instead of ${bytes}.`);
    };
    if (!name.endsWith("/")) entries.push({ name, bytes: bytes!, read });
    offset += 46 + nameLength! + others[0]! + others[1]!;
  }
  return entries;
}
