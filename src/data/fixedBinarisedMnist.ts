import { type Key, permutation, randomKey, split } from "../engine/random.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import { threefry2x32 } from "../engine/threefry.js";
import { type BitTable, parseBits } from "./bits.js";
import { catalogue, type DataFile } from "./catalogue.js";
import { DataError } from "./dataError.js";
import { type GlyphOptions, glyphs } from "./glyphs.js";
import type { ImageSet } from "./images.js";
import { type LocateOptions, loadFile } from "./locate.js";

/** A set of black-and-white images that were binarised once and for all, so that everyone's log p(x) is of the same bits. */
export interface BinaryImageDataset {
  /** What it really is; published numbers hold only where this says `"mnist-fixed-binarized"`. */
  readonly name: "mnist-fixed-binarized" | "glyphs";
  /** For captions. */
  readonly title: string;
  /** Present where this is not what the reader expects: print it. */
  readonly notice?: string;
  readonly source: string;
  readonly licence: string;
  readonly train: BinaryImageSet;
  readonly validation: BinaryImageSet;
  readonly test: BinaryImageSet;
}

/** Images of one size without labels, every pixel 0 or 1. */
export class BinaryImageSet {
  /** `[count · rows · columns]`, 0 (paper) or 1 (ink), row by row. */
  readonly images: Uint8Array;
  readonly rows: number;
  readonly columns: number;

  /** @throws RangeError if the pixels are not those of whole images. */
  constructor(set: Pick<BinaryImageSet, "images" | "rows" | "columns">) {
    if (set.images.length % (set.rows * set.columns) !== 0)
      throw new RangeError(`${set.images.length} pixels are not whole images of ${set.rows}×${set.columns}.`);
    this.images = set.images;
    this.rows = set.rows;
    this.columns = set.columns;
  }

  /** Pixels of one image, P = rows · columns. */
  get pixels(): number {
    return this.rows * this.columns;
  }

  /** How many images there are. */
  get count(): number {
    return this.images.length / this.pixels;
  }

  /** All images as a tensor `[count, P]` of zeros and ones, which the caller disposes. */
  tensor(): Tensor2D {
    return tf.tensor2d(Float32Array.from(this.images), [this.count, this.pixels]);
  }

  /** Images `from` to `to` (exclusive) as a set of their own, without copying; bounds as in `Array.slice`. */
  slice(from: number, to?: number): BinaryImageSet {
    const [first, last] = [from, to ?? this.count].map((at) => (at < 0 ? Math.max(0, at + this.count) : at));
    return new BinaryImageSet({ ...this, images: this.images.subarray(first * this.pixels, last * this.pixels) });
  }
}

/** How to look for files, and how many glyphs to draw where glyphs are drawn. */
export interface BinaryImageOptions extends LocateOptions {
  readonly glyphs?: GlyphOptions;
}

/** What is drawn here is the same for everyone. */
const [testOrderKey, ...glyphKeys] = split(randomKey(784), 3);

/**
 * MNIST with the fixed binarisation: 50,000 training, 10,000 validation and 10,000 test images of 28×28 bits, without labels.
 *
 * log-likelihoods of it do not compare with those of a binarisation at random. The file of test images is sorted by class; they are put in a random
 * order here, always the same one, so that the first n are a sample of them.
 *
 * @param options - where to look, and whether to download (110 MB).
 * @throws DataError if a file is missing or damaged.
 * Source: Salakhutdinov & Murray 2008, "On the quantitative analysis of deep belief networks"; Larochelle & Murray 2011, "The neural autoregressive
 * distribution estimator".
 */
export async function fixedBinarisedMnist(options: LocateOptions = {}): Promise<BinaryImageDataset> {
  const { files, title, source, licence } = catalogue.fixedBinarisedMnist;
  const read = async (file: DataFile): Promise<BitTable> => parseBits(await loadFile(file, options), file.name, 784);
  const test = await read(files.test);
  return {
    name: "mnist-fixed-binarized",
    title,
    source,
    licence,
    train: setOf((await read(files.train)).values),
    validation: setOf((await read(files.validation)).values),
    test: setOf(inOrder(test, permutation(testOrderKey, test.rows))),
  };
}

/**
 * The fixed binarisation of MNIST where it can be had, else the generated glyphs, binarised once, with a `notice` to print.
 *
 * @param options - where to look, whether to download, how many glyphs (by default 10,000 for training; of 4,000 others one half is the validation set, one half
 *   the test set).
 * @throws DataError if a file is damaged (rather than hide it).
 */
export async function binaryImages(options: BinaryImageOptions = {}): Promise<BinaryImageDataset> {
  try {
    return await fixedBinarisedMnist(options);
  } catch (error) {
    if (!(error instanceof DataError) || error.reason !== "missing") throw error;
  }
  const { train, test, title, source, licence } = await glyphs({ test: 4_000, ...options.glyphs });
  const [first, second] = [train, test].map((set, i) => setOf(bitsOf(set, glyphKeys[i])));
  const half = Math.floor(second.count / 2);
  return {
    name: "glyphs",
    title: `${title}, binarised once`,
    source,
    licence,
    notice:
      "NOTICE: MNIST with the fixed binarisation was not found, so these are glyphs, digits that marginalia generates; published MNIST numbers do not apply. " +
      "For MNIST, set MARGINALIA_DATA to a folder that holds mnist-fixed-binarized/ with its three files; `npm run doctor` says where it was sought.",
    train: first,
    validation: second.slice(0, half),
    test: second.slice(half),
  };
}

function setOf(images: Uint8Array): BinaryImageSet {
  return new BinaryImageSet({ images, rows: 28, columns: 28 });
}

function inOrder({ values, columns }: BitTable, order: Int32Array): Uint8Array {
  const sorted = new Uint8Array(values.length);
  order.forEach((from, to) => {
    sorted.set(values.subarray(from * columns, (from + 1) * columns), to * columns);
  });
  return sorted;
}

/** Each pixel is ink with its grey value as the probability. In integers, so that the bits are the same on every backend. */
function bitsOf({ images, maximum }: ImageSet, { words }: Key): Uint8Array {
  const bits = new Uint8Array(images.length);
  for (let i = 0; i < bits.length; i += 2) {
    threefry2x32(words, [i, 0]).forEach((word, j) => {
      if (word * maximum < images[i + j] * 2 ** 32) bits[i + j] = 1;
    });
  }
  return bits;
}
