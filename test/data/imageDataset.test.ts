import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { catalogue } from "../../src/data/catalogue.js";
import { DataError } from "../../src/data/dataError.js";
import { imageDataset } from "../../src/data/imageDataset.js";
import type { ImageDatasetName } from "../../src/data/images.js";
import { findDatasets } from "../../src/data/locate.js";
import { emptyEnvironment, put } from "./fixtures.js";

const small = { glyphs: { train: 3, test: 2 }, download: false } as const;
const mnistIsHere = findDatasets().some(({ name, found }) => name === "mnist" && found);

describe("imageDataset", () => {
  it("falls back from MNIST to glyphs with a notice that says so and how to get MNIST", async () => {
    const data = await imageDataset("auto", { ...small, environment: emptyEnvironment() });
    expect(data.name).toBe("glyphs");
    expect(data.train.count).toBe(3);
    expect(data.notice).toMatch(
      /^NOTICE: MNIST was not found, so these are glyphs.*; published MNIST numbers do not apply/,
    );
    expect(data.notice).toMatch(/set MARGINALIA_DATA to a folder/);
    // Notebooks print it, and a committed notebook should not show the paths of the machine that ran it.
    expect(data.notice).not.toContain(tmpdir());
  });

  it("throws for MNIST by name where it is missing", async () => {
    const promise = imageDataset("mnist", { ...small, environment: emptyEnvironment() });
    await expect(promise).rejects.toMatchObject({ name: "DataError", reason: "missing" });
  });

  it("does not hide a damaged MNIST behind glyphs", async () => {
    const environment = emptyEnvironment();
    put(environment.MARGINALIA_DATA, catalogue.mnist.files.trainImages.name, new Uint8Array(9));
    await expect(imageDataset("auto", { ...small, environment })).rejects.toBeInstanceOf(DataError);
  });

  it.skipIf(!mnistIsHere)("is MNIST, without notice, where it is found", async () => {
    const data = await imageDataset("auto", small);
    expect(data.name).toBe("mnist");
    expect(data.notice).toBeUndefined();
  });

  it("gives glyphs and optdigits by name, without notice", async () => {
    for (const name of ["glyphs", "optdigits"] as const) {
      const data = await imageDataset(name, { ...small, environment: emptyEnvironment() });
      expect(data.name).toBe(name);
      expect(data.notice).toBeUndefined();
    }
  });

  it("refuses an unknown name with the list", async () => {
    await expect(imageDataset("cifar" as ImageDatasetName)).rejects.toThrow(
      /no image data set "cifar"; choose "mnist"/,
    );
  });
});
