/** Small images as PNG (W3C PNG specification, third edition): a grey or palette raster, without a canvas. */
import { crc32, deflateSync } from "node:zlib";

/** An image of one byte a pixel, rows from the top. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  /** `height × width` bytes: grey levels, or indices into `palette`. */
  readonly pixels: Uint8Array;
  /** Up to 256 colours as `[red, green, blue]`, 0–255; without it, pixels are grey levels. */
  readonly palette?: readonly (readonly [number, number, number])[];
}

/** Repeats every pixel `factor` times in both directions, so that viewers that smooth images keep the pixels' edges. */
export function enlarge({ width, height, pixels, palette }: Raster, factor: number): Raster {
  const large = new Uint8Array(width * height * factor * factor);
  for (let row = 0, out = 0; row < height * factor; row++) {
    const start = Math.floor(row / factor) * width;
    for (let column = 0; column < width * factor; column++, out++) {
      large[out] = pixels[start + Math.floor(column / factor)]!;
    }
  }
  return { width: width * factor, height: height * factor, pixels: large, ...(palette && { palette }) };
}

/** Encodes an image. */
export function encodePng({ width, height, pixels, palette }: Raster): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = palette ? 3 : 0;
  const lines = Buffer.alloc(height * (width + 1));
  for (let row = 0; row < height; row++) {
    const line = pixels.subarray(row * width, (row + 1) * width);
    const above = row > 0 ? pixels.subarray((row - 1) * width, row * width) : undefined;
    // A row that repeats the one above is all zeros under the filter "up"; other rows are left as they are.
    if (above && Buffer.compare(line, above) === 0) lines[row * (width + 1)] = 2;
    else lines.set(line, row * (width + 1) + 1);
  }
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    ...(palette ? [chunk("PLTE", Buffer.from(palette.flat()))] : []),
    chunk("IDAT", deflateSync(lines, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** An image as a `data:` URI. */
export function pngUri(raster: Raster): string {
  return `data:image/png;base64,${encodePng(raster).toString("base64")}`;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
