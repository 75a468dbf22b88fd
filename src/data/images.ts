import { type Tensor2D, tf } from "../engine/tf.js";

/** The image data sets that {@link imageDataset} knows. */
export type ImageDatasetName = "mnist" | "glyphs" | "optdigits";

/** A labelled image data set, split for training and testing. */
export interface ImageDataset {
  /** What it really is; claims about MNIST's numbers hold only where this says `"mnist"`. */
  readonly name: ImageDatasetName;
  /** For captions: "MNIST", "glyphs (generated)", … */
  readonly title: string;
  /** Present where this is not what the reader expects, e.g. glyphs in place of MNIST: print it. */
  readonly notice?: string;
  readonly source: string;
  readonly licence: string;
  readonly train: ImageSet;
  readonly test: ImageSet;
}

/** Labelled grey images of one size, as stored: one byte a pixel. */
export class ImageSet {
  /** `[count · rows · columns]`, 0 (background) to `maximum` (ink), row by row. */
  readonly images: Uint8Array;
  /** `[count]`, class numbers. */
  readonly labels: Uint8Array;
  readonly rows: number;
  readonly columns: number;
  /** The byte that stands for 1: 255, or 16 for the 8×8 digits. */
  readonly maximum: number;

  /** @throws RangeError if there is not one image for each label, or a pixel exceeds `maximum`. */
  constructor(set: Pick<ImageSet, "images" | "labels" | "rows" | "columns" | "maximum">) {
    if (set.images.length !== set.labels.length * set.rows * set.columns) {
      throw new RangeError(
        `${set.images.length} pixels are not ${set.labels.length} images of ${set.rows}×${set.columns}; give one image a label.`,
      );
    }
    for (let i = 0; i < set.images.length; i++) {
      if (set.images[i] > set.maximum) {
        throw new RangeError(`Pixel ${i} is ${set.images[i]}, above the maximum ${set.maximum}.`);
      }
    }
    this.images = set.images;
    this.labels = set.labels;
    this.rows = set.rows;
    this.columns = set.columns;
    this.maximum = set.maximum;
  }

  /** How many images there are. */
  get count(): number {
    return this.labels.length;
  }

  /** Pixels of one image, P = rows · columns. */
  get pixels(): number {
    return this.rows * this.columns;
  }

  /** `[count, rows, columns]`. */
  get shape(): [number, number, number] {
    return [this.count, this.rows, this.columns];
  }

  /**
   * Grey values in [0, 1], `images / maximum`.
   *
   * @param indices - `[B]`, which images, in this order; all by default.
   * @returns `[B · P]`, row by row.
   * @throws RangeError if an index is not one of an image.
   */
  grey(indices?: ArrayLike<number>): Float32Array {
    const count = indices?.length ?? this.count;
    const grey = new Float32Array(count * this.pixels);
    for (let b = 0; b < count; b++) {
      const index = indices ? indices[b] : b;
      if (!Number.isInteger(index) || index < 0 || index >= this.count) {
        throw new RangeError(`There is no image ${index}; this set has images 0 to ${this.count - 1}.`);
      }
      for (let p = 0; p < this.pixels; p++) {
        grey[b * this.pixels + p] = this.images[index * this.pixels + p] / this.maximum;
      }
    }
    return grey;
  }

  /**
   * Grey values as a tensor, which the caller disposes.
   *
   * @param indices - `[B]`, which images; all by default.
   * @returns `[B, P]` in [0, 1].
   * @throws RangeError if an index is not one of an image.
   */
  tensor(indices?: ArrayLike<number>): Tensor2D {
    return tf.tensor2d(this.grey(indices), [indices?.length ?? this.count, this.pixels]);
  }

  /**
   * Images `from` to `to` (exclusive) as a set of their own, without copying; bounds as in `Array.slice`.
   */
  slice(from: number, to?: number): ImageSet {
    const labels = this.labels.subarray(from, to);
    const first = (labels.byteOffset - this.labels.byteOffset) * this.pixels;
    return new ImageSet({ ...this, images: this.images.subarray(first, first + labels.length * this.pixels), labels });
  }
}
