import { catalogue, type DataFile } from "./catalogue.js";
import { parseCsv } from "./csv.js";
import { type ImageDataset, ImageSet } from "./images.js";
import { type LocateOptions, loadFile } from "./locate.js";

const pixels = 64;

/**
 * Optical digits: 3,823 training (`tra` and `hol`) and 1,797 test (`tes`, other writers) images, 8×8, 0 to 16 a pixel.
 *
 * Small enough that a model with a two-dimensional latent has its log p(x) by quadrature. Shipped with the project.
 *
 * @param options - where to look.
 * @throws DataError if a file is missing or damaged.
 * Source: Alpaydin & Kaynak 1998, "Cascading classifiers", Kybernetika 34.
 */
export async function optdigits(options: LocateOptions = {}): Promise<ImageDataset> {
  const { files, title, source, licence } = catalogue.optdigits;
  return {
    name: "optdigits",
    title,
    source,
    licence,
    train: await readSet([files.tra, files.hol], options),
    test: await readSet([files.tes], options),
  };
}

async function readSet(files: readonly DataFile[], options: LocateOptions): Promise<ImageSet> {
  const text = new TextDecoder();
  const rows: Uint8Array[] = [];
  for (const file of files) {
    const table = parseCsv(text.decode(await loadFile(file, options)), file.name);
    for (let row = 0; row < table.rows; row++) {
      rows.push(Uint8Array.from(table.values.subarray(row * table.columns, (row + 1) * table.columns)));
    }
  }
  const images = new Uint8Array(rows.length * pixels);
  for (const [i, row] of rows.entries()) images.set(row.subarray(0, pixels), i * pixels);
  return new ImageSet({
    images,
    labels: Uint8Array.from(rows, (row) => row[pixels]),
    rows: 8,
    columns: 8,
    maximum: 16,
  });
}
