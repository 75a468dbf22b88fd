import { describe, expect, it } from "vitest";
import { catalogue } from "../../src/data/catalogue.js";
import { findDatasets } from "../../src/data/locate.js";
import { mnist } from "../../src/data/mnist.js";
import { emptyEnvironment, put } from "./fixtures.js";

const here = findDatasets().some(({ name, found }) => name === "mnist" && found);

describe("mnist", () => {
  it.skipIf(!here)("is the published set, where this machine has it", async () => {
    const { train, test } = await mnist({ download: false });
    expect(train.shape).toEqual([60_000, 28, 28]);
    expect(test.shape).toEqual([10_000, 28, 28]);
    expect(Array.from(train.labels.subarray(0, 10))).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect(Array.from(test.labels.subarray(0, 5))).toEqual([7, 2, 1, 0, 4]);
    // The mean grey value everyone normalises MNIST by.
    const total = train.images.reduce((sum, pixel) => sum + pixel, 0);
    expect(total / train.images.length / 255).toBeCloseTo(0.1307, 4);
  });

  it("refuses a file that is not MNIST's, by name", async () => {
    const environment = emptyEnvironment();
    const path = put(environment.MARGINALIA_DATA, `${catalogue.mnist.files.trainImages.name}.gz`, new Uint8Array(100));
    await expect(mnist({ environment, download: false })).rejects.toThrow(`The data file ${path} cannot be used`);
  });

  it("has one gzipped address a file and mirror, over https", () => {
    for (const file of Object.values(catalogue.mnist.files)) {
      expect(file.mirrors.length).toBeGreaterThanOrEqual(2);
      for (const mirror of file.mirrors)
        expect(mirror).toMatch(new RegExp(`^https://.*/${file.name.split("/")[1]}\\.gz$`));
    }
  });
});
