import { type BilevelPicture, parseBilevelPng } from "./bilevelPng.js";
import { catalogue } from "./catalogue.js";
import { type ImageDataset, ImageSet } from "./images.js";
import { type LocateOptions, loadFile } from "./locate.js";
import { parseZip } from "./zip.js";

/** Characters of `omniglot-small`, split by who drew them. */
export interface OmniglotSmallDataset extends Omit<ImageDataset, "name"> {
  /** Not the set that papers report on: no published OMNIGLOT number compares. */
  readonly name: "omniglot-small";
  /** What each label stands for, such as `"Greek/character03"`. */
  readonly characters: readonly string[];
}

const side = 28;

/** These of the twenty people who drew each character are the test set's. */
const firstTestDrawer = 17;

/**
 * `omniglot-small`: the 4,840 pictures of 242 characters in OMNIGLOT's two "background small" archives, 28×28 grey.
 *
 * The archives hold five alphabets each, two of them in both; every picture is taken once. Twenty people drew each character: the first sixteen make the training set
 * (3,872 pictures), the last four the test set (968). The 105×105 black-and-white originals are averaged over squares of 3.75×3.75 pixels: a grey value is the share
 * of its square that is ink, rounded to 1/255. **It is neither the data, nor the size, nor the split that papers call OMNIGLOT** (24,345 and 8,070 images
 * of fifty alphabets).
 *
 * @param options - where to look, and whether to download (3 MB).
 * @throws DataError if an archive is missing or damaged.
 * Source: Lake, Salakhutdinov & Tenenbaum 2015, "Human-level concept learning through probabilistic program induction".
 */
export async function omniglotSmall(options: LocateOptions = {}): Promise<OmniglotSmallDataset> {
  const { files, title, source, licence } = catalogue.omniglotSmall;
  const pictures = new Map<string, () => Uint8Array>();
  for (const file of Object.values(files)) {
    for (const { name, read } of parseZip(await loadFile(file, options), file.name)) {
      const [, alphabet, character, picture] = name.split("/");
      if (picture?.endsWith(".png")) pictures.set(`${alphabet}/${character}/${picture}`, read);
    }
  }
  const names = [...pictures.keys()].sort();
  const characterOf = (name: string): string => name.slice(0, name.lastIndexOf("/"));
  const characters = [...new Set(names.map(characterOf))];
  const setOf = (chosen: readonly string[]): ImageSet => {
    const images = new Uint8Array(chosen.length * side * side);
    chosen.forEach((name, i) => {
      images.set(areaAverage(parseBilevelPng(pictures.get(name)!(), name), side), i * side * side);
    });
    const labels = Uint8Array.from(chosen, (name) => characters.indexOf(characterOf(name)));
    return new ImageSet({ images, labels, rows: side, columns: side, maximum: 255 });
  };
  const isTest = (name: string): boolean => Number(name.slice(-6, -4)) >= firstTestDrawer;
  const [train, test] = [names.filter((name) => !isTest(name)), names.filter(isTest)];
  return { name: "omniglot-small", title, source, licence, characters, train: setOf(train), test: setOf(test) };
}

/**
 * A picture shrunk to `size`×`size` bytes: 255 times the share of ink in each of the squares that it is cut into, which need not begin at whole pixels.
 *
 * @internal
 */
export function areaAverage({ rows, columns, ink }: BilevelPicture, size: number): Uint8Array {
  // One axis after the other, from the right: [rows, columns] to [rows, size] to [size, size].
  const across = shrunk(ink, rows, columns, size);
  const both = shrunk(transposed(across, rows, size), size, rows, size);
  return Uint8Array.from(transposed(both, size, size), (share) => Math.round(255 * share));
}

/** Means of `size` equal pieces of each line of `length` numbers, `[lines · size]`. */
function shrunk(values: ArrayLike<number>, lines: number, length: number, size: number): Float64Array {
  const means = new Float64Array(lines * size);
  for (let piece = 0; piece < size; piece++) {
    const [from, to] = [(piece * length) / size, ((piece + 1) * length) / size];
    for (let i = Math.floor(from); i < Math.ceil(to); i++) {
      const share = (Math.min(to, i + 1) - Math.max(from, i)) / (to - from);
      for (let line = 0; line < lines; line++) means[line * size + piece] += share * values[line * length + i];
    }
  }
  return means;
}

function transposed(values: Float64Array, rows: number, columns: number): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
}
