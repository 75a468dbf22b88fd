import { inflateSync } from "node:zlib";

/** A picture of black and white pixels. */
export interface BilevelPicture {
  readonly rows: number;
  readonly columns: number;
  /** `[rows · columns]`, 1 where the pixel is black (ink), row by row. */
  readonly ink: Uint8Array;
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Reads a PNG of one bit a pixel, without interlacing, in which 0 is black.
 *
 * @param what the file's name, for the error.
 * @throws RangeError if it is no PNG, or one of another kind, or not whole.
 * Source: PNG specification (ISO/IEC 15948), sections 5.3, 9.2 and 11.2.2.
 */
export function parseBilevelPng(content: Uint8Array, what: string): BilevelPicture {
  if (!signature.every((byte, i) => content[i] === byte)) throw new RangeError(`${what} is no PNG file.`);
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const parts: Uint8Array[] = [];
  let header: { columns: number; rows: number } | undefined;
  for (let at = 8; at + 8 <= content.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...content.subarray(at + 4, at + 8));
    const body = content.subarray(at + 8, at + 8 + length);
    if (kind === "IHDR") {
      const [depth, colour, , , interlace] = body.subarray(8, 13);
      if (depth !== 1 || colour !== 0 || interlace !== 0) {
        throw new RangeError(
          `${what} has ${depth} bits a pixel, colour type ${colour} and interlacing ${interlace}; only 1, 0 and 0 are read.`,
        );
      }
      header = { columns: view.getUint32(at + 8), rows: view.getUint32(at + 12) };
    } else if (kind === "IDAT") parts.push(body);
    at += 12 + length;
  }
  if (!header) throw new RangeError(`${what} has no PNG header.`);
  const { columns, rows } = header;
  const width = Math.ceil(columns / 8);
  const lines = inflateSync(Buffer.concat(parts));
  if (lines.length !== rows * (width + 1)) {
    throw new RangeError(`${what} holds ${lines.length} bytes of pixels instead of ${rows * (width + 1)}.`);
  }
  const ink = new Uint8Array(rows * columns);
  let above = new Uint8Array(width);
  for (let row = 0; row < rows; row++) {
    const start = row * (width + 1);
    const line = unfiltered(lines.subarray(start + 1, start + 1 + width), above, lines[start]!, what);
    for (let column = 0; column < columns; column++) {
      ink[row * columns + column] = 1 - ((line[column >> 3]! >> (7 - (column & 7))) & 1);
    }
    above = line;
  }
  return { rows, columns, ink };
}

/** A line of bytes from its differences to the bytes left, above and above left. */
function unfiltered(line: Uint8Array, above: Uint8Array, filter: number, what: string): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(line.length);
  line.forEach((byte, i) => {
    const [a, b, c] = [i > 0 ? result[i - 1]! : 0, above[i]!, i > 0 ? above[i - 1]! : 0];
    const predicted = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter];
    if (predicted === undefined) throw new RangeError(`${what} uses the PNG filter ${filter}, which there is not.`);
    result[i] = byte + predicted;
  });
  return result;
}

/** Whichever of the three is nearest to a + b − c, in this order. */
function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}
