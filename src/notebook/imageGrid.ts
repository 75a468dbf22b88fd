/** Grids of small grey images, such as digits beside their reconstructions. */
import type { Chart } from "./figure.js";
import { enlarge, pngUri, type Raster } from "./png.js";
import type { Row } from "./spec.js";

/** Images in rows and columns under one heading. */
export interface ImageBlock {
  readonly title: string;
  /** `images[row][column]` is an image of `height × width` values from 0 (paper) to 1 (ink), rows from the top. */
  readonly images: readonly (readonly ArrayLike<number>[])[];
}

/** Options of {@link imageGrid}. */
export interface ImageGridOptions {
  /** Blocks from left to right, all with the same number of rows. */
  readonly blocks: readonly ImageBlock[];
  /** Size of one image in pixels. */
  readonly height: number;
  readonly width: number;
  /** Labels of the rows (default: none). */
  readonly rowLabels?: readonly string[];
}

const gap = 2;

/** One picture of a block's images, ink dark on white paper. */
function mosaic({ title, images }: ImageBlock, height: number, width: number): Raster {
  const columns = Math.max(...images.map((row) => row.length));
  const total = { width: columns * (width + gap) - gap, height: images.length * (height + gap) - gap };
  const pixels = new Uint8Array(total.width * total.height).fill(255);
  images.forEach((row, r) => {
    row.forEach((image, c) => {
      if (image.length !== height * width) {
        throw new Error(
          `An image of "${title}" has ${image.length} pixels, not ${height} × ${width} = ${height * width}.`,
        );
      }
      for (let i = 0; i < image.length; i++) {
        const value = image[i]!;
        if (!Number.isFinite(value)) throw new Error(`An image of "${title}" has a pixel that is ${value}.`);
        const at = (r * (height + gap) + Math.floor(i / width)) * total.width + c * (width + gap) + (i % width);
        pixels[at] = Math.round(255 * (1 - Math.min(1, Math.max(0, value))));
      }
    });
  });
  return { ...total, pixels };
}

/**
 * Blocks of images side by side, one picture each, under their headings; blocks keep the images' proportions and a common scale.
 *
 * The figure's CSV holds the pixel values, one image a row.
 *
 * @throws Error if there is no image, blocks differ in their number of rows, or an image has another size.
 */
export function imageGrid(options: ImageGridOptions): Chart {
  const { blocks, height, width, rowLabels } = options;
  const rows = blocks[0]?.images.length ?? 0;
  if (rows === 0) throw new Error("An image grid needs at least one image.");
  for (const { title, images } of blocks) {
    if (images.length !== rows)
      throw new Error(`"${title}" has ${images.length} rows of images, the first block ${rows}.`);
  }
  if (rowLabels && rowLabels.length !== rows)
    throw new Error(`There are ${rowLabels.length} row labels for ${rows} rows of images.`);
  // Positions are in image pixels, so that one scale serves all blocks; they are far enough apart to be told as blocks.
  const pictures = blocks.map((block) => mosaic(block, height, width));
  const between = Math.round(width * 0.6);
  const starts = pictures.map((_, i) =>
    pictures.slice(0, i).reduce((sum, picture) => sum + picture.width + between, 0),
  );
  const total = { width: starts.at(-1)! + pictures.at(-1)!.width, height: pictures[0]!.height };
  const factor = Math.max(1, Math.ceil(84 / Math.max(width, height)));
  const data: Row[] = pictures.map((picture, i) => ({
    block: blocks[i]!.title,
    url: pngUri(enlarge(picture, factor)),
    x: starts[i]!,
    x2: starts[i]! + picture.width,
    middle: starts[i]! + picture.width / 2,
    y: 0,
    y2: total.height,
  }));
  const labels = (rowLabels ?? []).map((label, r): Row => ({ label, y: r * (height + gap) + height / 2 }));
  const x = {
    type: "quantitative",
    axis: null,
    scale: { domain: [0, total.width], nice: false, zero: false },
  } as const;
  const y = {
    type: "quantitative",
    axis: null,
    scale: { domain: [0, total.height], nice: false, zero: false, reverse: true },
  } as const;
  return {
    spec: {
      width: 400,
      height: (400 * total.height) / total.width,
      layer: [
        {
          data: { name: "blocks" },
          mark: { type: "image", aspect: false, tooltip: null },
          encoding: {
            x: { field: "x", ...x },
            x2: { field: "x2" },
            y: { field: "y", ...y },
            y2: { field: "y2" },
            url: { field: "url", type: "nominal" },
          },
        },
        {
          data: { name: "blocks" },
          mark: { type: "text", baseline: "bottom", dy: -4 },
          encoding: { x: { field: "middle", ...x }, y: { datum: 0, ...y }, text: { field: "block", type: "nominal" } },
        },
        ...(labels.length > 0
          ? [
              {
                data: { name: "labels" },
                mark: { type: "text", align: "right", dx: -5 },
                encoding: { x: { datum: 0, ...x }, y: { field: "y", ...y }, text: { field: "label", type: "nominal" } },
              } as const,
            ]
          : []),
      ],
    },
    data: { blocks: data, ...(labels.length > 0 && { labels }) },
    numbers: blocks.flatMap(({ title, images }) =>
      images.flatMap((row, r) =>
        row.map(
          (image, c): Row => ({
            block: title,
            row: rowLabels?.[r] ?? r,
            column: c,
            ...Object.fromEntries(
              Array.from({ length: image.length }, (_, i) => [`p${i}`, Number(image[i]!.toPrecision(3))]),
            ),
          }),
        ),
      ),
    ),
  };
}
