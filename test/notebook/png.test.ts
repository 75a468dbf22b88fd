import { Resvg } from "@resvg/resvg-js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { enlarge, pngUri, type Raster } from "../../src/notebook/png.js";

/** Decodes by another's decoder: draws the image one pixel to one and reads the red, green and blue channels. */
function decode(raster: Raster): number[][] {
  const { width, height } = raster;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}"><image width="${width}" height="${height}" style="image-rendering:optimizeSpeed" xlink:href="${pngUri(raster)}"/></svg>`;
  const { pixels } = new Resvg(svg).render();
  return Array.from({ length: width * height }, (_, i) => [...pixels.subarray(4 * i, 4 * i + 3)]);
}

describe("png", () => {
  it("keeps every grey level of any image, repeated rows or not", () => {
    const image = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })).chain(([width, height]) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        pixels: fc.uint8Array({ minLength: width * height, maxLength: width * height, max: 255 }),
      }),
    );
    fc.assert(
      fc.property(image, fc.boolean(), (raster, repeat) => {
        if (repeat)
          for (let i = raster.width; i < raster.pixels.length; i++) raster.pixels[i] = raster.pixels[i - raster.width]!;
        expect(decode(raster)).toEqual([...raster.pixels].map((grey) => [grey, grey, grey]));
      }),
      { numRuns: 50 },
    );
  });

  it("looks palette indices up", () => {
    const palette = [
      [255, 0, 0],
      [0, 128, 0],
      [1, 2, 3],
    ] as const;
    expect(decode({ width: 3, height: 1, pixels: Uint8Array.of(2, 0, 1), palette })).toEqual([
      [1, 2, 3],
      [255, 0, 0],
      [0, 128, 0],
    ]);
  });

  it("enlarges by repeating pixels", () => {
    const { width, height, pixels } = enlarge({ width: 2, height: 2, pixels: Uint8Array.of(1, 2, 3, 4) }, 2);
    expect([width, height]).toEqual([4, 4]);
    expect([...pixels]).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
  });
});
