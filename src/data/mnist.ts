import { catalogue, type DataFile } from "./catalogue.js";
import { parseIdx } from "./idx.js";
import { type ImageDataset, ImageSet } from "./images.js";
import { type LocateOptions, loadFile } from "./locate.js";

/**
 * MNIST: 60,000 training and 10,000 test images of handwritten digits, 28×28 grey.
 *
 * @param options - where to look, and whether to download (11 MB).
 * @throws DataError if a file is missing or damaged.
 * Source: LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document recognition".
 */
export async function mnist(options: LocateOptions = {}): Promise<ImageDataset> {
  const { files, title, source, licence } = catalogue.mnist;
  return {
    name: "mnist",
    title,
    source,
    licence,
    train: await readSet(files.trainImages, files.trainLabels, options),
    test: await readSet(files.testImages, files.testLabels, options),
  };
}

async function readSet(imageFile: DataFile, labelFile: DataFile, options: LocateOptions): Promise<ImageSet> {
  const images = parseIdx(await loadFile(imageFile, options), imageFile.name);
  const labels = parseIdx(await loadFile(labelFile, options), labelFile.name);
  const [, rows, columns] = images.shape;
  return new ImageSet({ images: images.values, labels: labels.values, rows, columns, maximum: 255 });
}
