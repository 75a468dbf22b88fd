import { tmpdir } from "node:os";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { catalogue } from "../../src/data/catalogue.js";
import { BinaryImageSet, binaryImages, fixedBinarisedMnist } from "../../src/data/fixedBinarisedMnist.js";
import { glyphs } from "../../src/data/glyphs.js";
import { findDatasets } from "../../src/data/locate.js";
import { sha256 } from "../../src/data/verify.js";
import { tf } from "../../src/engine/tf.js";
import { emptyEnvironment, put } from "./fixtures.js";

const { files } = catalogue.fixedBinarisedMnist;
const here = findDatasets().some(({ name, found }) => name === "mnist-fixed-binarized" && found);

/** An image whose first pixels are ink. */
const image = (ink: number): string => Array.from({ length: 784 }, (_, p) => (p < ink ? 1 : 0)).join(" ");
const images = (...inks: number[]): string => `${inks.map(image).join("\n")}\n`;
const sum = (numbers: ArrayLike<number>): number => Array.from(numbers).reduce((total, n) => total + n, 0);
const inkOf = (set: BinaryImageSet): number[] =>
  Array.from({ length: set.count }, (_, i) => sum(set.slice(i, i + 1).images));

/** Small files in the published ones' place, which the catalogue expects as long as the test lives. */
function small(texts: Record<keyof typeof files, string>): NodeJS.ProcessEnv {
  const environment = emptyEnvironment();
  for (const part of ["train", "validation", "test"] as const) {
    const content = new TextEncoder().encode(texts[part]);
    const original = { ...files[part] };
    Object.assign(files[part], { bytes: content.length, sha256: sha256(content) });
    onTestFinished(() => void Object.assign(files[part], original));
    put(environment.MARGINALIA_DATA, `${files[part].name}.gz`, gzipSync(content));
  }
  return environment;
}

describe("fixedBinarisedMnist", () => {
  it("reads the three parts and puts the test images, which are sorted, in an order that is always the same", async () => {
    const sorted = Array.from({ length: 40 }, (_, i) => i);
    const environment = small({ train: images(5, 3, 4), validation: images(7), test: images(...sorted) });
    const first = await fixedBinarisedMnist({ environment, download: false });
    expect(first.name).toBe("mnist-fixed-binarized");
    expect(first.notice).toBeUndefined();
    expect(inkOf(first.train)).toEqual([5, 3, 4]);
    expect(inkOf(first.validation)).toEqual([7]);
    const order = inkOf(first.test);
    expect([...order].sort((a, b) => a - b)).toEqual(sorted);
    expect(order.slice(0, 5)).toEqual([23, 20, 27, 12, 22]);
    expect(first.test.images.subarray(0, 20)).toEqual(Uint8Array.from({ length: 20 }, (_, p) => Number(p < order[0])));
    const second = await fixedBinarisedMnist({ environment, download: false });
    expect(inkOf(second.test)).toEqual(order);
  });

  it("names the file and the line of what is malformed", async () => {
    const environment = small({ train: images(5), validation: images(7), test: `${images(1, 2)}${image(3)} 1\n` });
    await expect(fixedBinarisedMnist({ environment, download: false })).rejects.toThrow(
      "mnist-fixed-binarized/binarized_mnist_test.amat, line 3: 785 bits instead of 784.",
    );
  });

  it("refuses a file with another content than the published one", async () => {
    const environment = emptyEnvironment();
    const path = put(environment.MARGINALIA_DATA, `${files.test.name}.gz`, new Uint8Array(100));
    await expect(fixedBinarisedMnist({ environment, download: false })).rejects.toThrow(
      `The data file ${path} cannot be used`,
    );
  });

  it.skipIf(!here)("is the published set, where this machine has it", async () => {
    const { train, validation, test } = await fixedBinarisedMnist({ download: false });
    expect([train.count, validation.count, test.count]).toEqual([50_000, 10_000, 10_000]);
    expect([train.rows, train.columns, train.pixels]).toEqual([28, 28, 784]);
    const inks = inkOf(test).sort((a, b) => a - b);
    expect([inks[0], inks.at(-1), sum(inks)]).toEqual([17, 260, 1_038_896]);
    // The file begins with the zeros, which have a third more ink than the rest; the first thousand are a sample here.
    expect(sum(test.slice(0, 1_000).images) / 1_000).toBeCloseTo(sum(inks) / 10_000, -1);
  });
});

describe("binaryImages", () => {
  const few = { glyphs: { train: 5, test: 6 }, download: false } as const;

  it("falls back to glyphs with a notice that says so and how to get MNIST", async () => {
    const data = await binaryImages({ ...few, environment: emptyEnvironment() });
    expect([data.name, data.title]).toEqual(["glyphs", "glyphs (generated), binarised once"]);
    expect([data.train.count, data.validation.count, data.test.count]).toEqual([5, 3, 3]);
    expect(data.notice).toMatch(
      /^NOTICE: MNIST with the fixed binarisation was not found.*published MNIST numbers do not/,
    );
    expect(data.notice).toMatch(/set MARGINALIA_DATA to a folder/);
    expect(data.notice).not.toContain(tmpdir());
  });

  it("binarises a glyph's pixels with their grey values as probabilities, the same bits every time", async () => {
    const options = { glyphs: { train: 300, test: 2 }, download: false, environment: emptyEnvironment() };
    const { train } = await binaryImages(options);
    expect((await binaryImages(options)).train.images).toEqual(train.images);
    const grey = (await glyphs(options.glyphs)).train;
    const [middle, pairs] = [[] as number[], [] as number[]];
    grey.images.forEach((value, i) => {
      if (value === 0) expect(train.images[i]).toBe(0);
      if (value === 255) expect(train.images[i]).toBe(1);
      if (value <= 64 || value >= 192) return;
      middle.push(train.images[i] - value / 255);
      if (i % 2 === 1) pairs.push((train.images[i] - value / 255) * (train.images[i - 1] - grey.images[i - 1] / 255));
    });
    expect(Math.abs(sum(middle))).toBeLessThan(4 * 0.5 * Math.sqrt(middle.length));
    expect(Math.abs(sum(pairs))).toBeLessThan(4 * 0.25 * Math.sqrt(pairs.length)); // neighbours are independent
    expect(middle.length).toBeGreaterThan(1_000);
  });

  it("does not hide a damaged file behind glyphs", async () => {
    const environment = emptyEnvironment();
    put(environment.MARGINALIA_DATA, files.test.name, new Uint8Array(9));
    await expect(binaryImages({ ...few, environment })).rejects.toMatchObject({ reason: "damaged" });
  });

  it.skipIf(!here)("is MNIST, without notice, where it is found", async () => {
    const data = await binaryImages(few);
    expect([data.name, data.notice]).toEqual(["mnist-fixed-binarized", undefined]);
  });
});

describe("BinaryImageSet", () => {
  const set = new BinaryImageSet({ images: Uint8Array.of(0, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 1), rows: 2, columns: 2 });

  it("is sliced as an array is", () => {
    expect([set.count, set.pixels, set.slice(1).count, set.slice(0, 9).count, set.slice(3).count]).toEqual([
      3, 4, 2, 3, 0,
    ]);
    expect(Array.from(set.slice(1, 2).images)).toEqual([1, 1, 1, 1]);
    expect(Array.from(set.slice(-1).images)).toEqual([0, 0, 0, 1]);
    expect(Array.from(set.slice(1).slice(0, -1).images)).toEqual([1, 1, 1, 1]);
  });

  it("makes one tensor [count, P] and leaves no other", () => {
    const before = tf.memory().numTensors;
    const tensor = set.slice(1).tensor();
    expect(tensor.shape).toEqual([2, 4]);
    expect(Array.from(tensor.dataSync())).toEqual([1, 1, 1, 1, 0, 0, 0, 1]);
    tensor.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses a part of an image", () => {
    expect(() => new BinaryImageSet({ ...set, images: new Uint8Array(6) })).toThrow(
      "6 pixels are not whole images of 2×2.",
    );
  });
});
