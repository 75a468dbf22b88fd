import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { deflateRawSync, deflateSync } from "node:zlib";
import { onTestFinished } from "vitest";
import type { DataFile } from "../../src/data/catalogue.js";
import { sha256 } from "../../src/data/verify.js";

/** A folder that lives as long as the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "marginalia-data-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An environment in which no data of this machine's user is visible. */
export function emptyEnvironment(): NodeJS.ProcessEnv & { MARGINALIA_DATA: string; MARGINALIA_CACHE: string } {
  const folder = temporaryFolder();
  return { MARGINALIA_DATA: join(folder, "data"), MARGINALIA_CACHE: join(folder, "cache") };
}

export function dataFile(name: string, content: Uint8Array, mirrors: readonly string[] = []): DataFile {
  return { name, bytes: content.length, sha256: sha256(content), mirrors };
}

export function put(folder: string, name: string, content: Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** A zip archive, made byte by byte as its specification says. */
export function zipOf(
  files: readonly {
    readonly name: string;
    readonly content: Uint8Array;
    readonly deflated?: boolean;
    /** What the directory says of the packing, where that is not what was done. */
    readonly method?: number;
    readonly bytes?: number;
    /** Length of an extra field in the local header alone. */
    readonly extra?: number;
  }[],
): Uint8Array {
  const [bodies, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const { name, content, deflated = false, method = deflated ? 8 : 0, bytes, extra = 0 } of files) {
    const packed = deflated ? deflateRawSync(content) : content;
    const common = Buffer.alloc(26); // from the version that is needed to the length of the extra field
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes ?? content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.from(common);
    local.writeUInt16LE(extra, 24);
    const body = Buffer.concat([Buffer.from("PK\x03\x04"), local, Buffer.from(name), Buffer.alloc(extra), packed]);
    const rest = Buffer.alloc(14); // from the comment's length to the offset of the local header
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x00\x00"), common, rest, Buffer.from(name)]));
    bodies.push(body);
    offset += body.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(offset, 12);
  return new Uint8Array(Buffer.concat([...bodies, ...directory, Buffer.from("PK\x05\x06"), end]));
}

/** A PNG of one bit a pixel, 0 black, whose lines use the given filters in turn; its checksums are left zero. */
export function bilevelPngOf(picture: {
  readonly rows: number;
  readonly columns: number;
  readonly ink: Uint8Array;
  readonly filters?: readonly number[];
  /** The five bytes behind the size. */
  readonly kind?: readonly number[];
}): Uint8Array {
  const { rows, columns, ink, filters = [0], kind = [1, 0, 0, 0, 0] } = picture;
  const width = Math.ceil(columns / 8);
  const lines = Array.from({ length: rows }, (_, row) => {
    const line = new Uint8Array(width);
    for (let c = 0; c < columns; c++) line[c >> 3] |= (1 - ink[row * columns + c]) << (7 - (c & 7));
    return line;
  });
  const filtered = lines.map((line, row) => {
    const filter = filters[row % filters.length];
    const differences = line.map((byte, i) => {
      const [a, b, c] = [line[i - 1] ?? 0, lines[row - 1]?.[i] ?? 0, lines[row - 1]?.[i - 1] ?? 0];
      const nearest = [a, b, c].reduce((best, next) =>
        Math.abs(a + b - c - next) < Math.abs(a + b - c - best) ? next : best,
      );
      return byte - [0, a, b, Math.floor((a + b) / 2), nearest][filter];
    });
    return Buffer.from([filter, ...differences]);
  });
  const chunk = (type: string, body: Uint8Array): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    return Buffer.concat([length, Buffer.from(type), body, Buffer.alloc(4)]);
  };
  const size = Buffer.alloc(8);
  size.writeUInt32BE(columns);
  size.writeUInt32BE(rows, 4);
  const pixels = deflateSync(Buffer.concat(filtered));
  return new Uint8Array(
    Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk("IHDR", Buffer.concat([size, Buffer.from(kind)])),
      chunk("tIME", Buffer.alloc(7)),
      chunk("IDAT", pixels.subarray(0, 5)),
      chunk("IDAT", pixels.subarray(5)),
      chunk("IEND", Buffer.alloc(0)),
    ]),
  );
}
