import { describe, expect, it } from "vitest";
import { catalogue } from "../../src/data/catalogue.js";
import { findDatasets } from "../../src/data/locate.js";
import { areaAverage, omniglotSmall } from "../../src/data/omniglotSmall.js";
import { emptyEnvironment, put } from "./fixtures.js";

const here = findDatasets().some(({ name, found }) => name === "omniglot-small" && found);

describe("omniglotSmall", () => {
  it.skipIf(!here)("has each picture of both archives once, drawers apart, where this machine has them", async () => {
    const { name, train, test, characters } = await omniglotSmall({ download: false });
    expect(name).toBe("omniglot-small");
    expect(train.shape).toEqual([242 * 16, 28, 28]);
    expect(test.shape).toEqual([242 * 4, 28, 28]);
    expect(characters).toHaveLength(242);
    const alphabets = [...new Set(characters.map((character) => character.split("/")[0]))];
    expect(alphabets).toEqual([
      "Balinese",
      "Early_Aramaic",
      "Greek",
      "Japanese_(katakana)",
      "Korean",
      "Latin",
      "Sanskrit",
      "Tagalog",
    ]);
    for (const [set, drawers] of [
      [train, 16],
      [test, 4],
    ] as const) {
      const counts = new Array<number>(242).fill(0);
      for (const label of set.labels) counts[label]++;
      expect(new Set(counts)).toEqual(new Set([drawers]));
    }
    // Ink, not paper: strokes are a small part of a picture, and no picture is empty.
    const means = Array.from({ length: train.count }, (_, i) => {
      const picture = train.images.subarray(i * 784, (i + 1) * 784);
      return picture.reduce((sum, grey) => sum + grey, 0) / 784 / 255;
    });
    expect(Math.min(...means)).toBeGreaterThan(0.005);
    expect(means.reduce((sum, value) => sum + value, 0) / means.length).toBeCloseTo(0.080706, 4);
    // The first picture's line 8, from exact fractions of its 105×105 original.
    const line = [...new Array(16).fill(0), 119, 255, 255, 219, 45, ...new Array(7).fill(0)];
    expect(Array.from(train.images.subarray(8 * 28, 9 * 28))).toEqual(line);
  });

  it("refuses a damaged archive by name, and says where a missing one was sought", async () => {
    const environment = emptyEnvironment();
    await expect(omniglotSmall({ environment, download: false })).rejects.toThrow("images_background_small1.zip");
    const path = put(environment.MARGINALIA_DATA, catalogue.omniglotSmall.files.small1.name, new Uint8Array(100));
    await expect(omniglotSmall({ environment, download: false })).rejects.toThrow(
      `The data file ${path} cannot be used`,
    );
  });
});

describe("areaAverage", () => {
  it("is the share of ink, also where squares cut through pixels", () => {
    const ink = Uint8Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    // Of nine pixels each quarter has one whole, two halves and a quarter: 2.25 in all.
    expect(Array.from(areaAverage({ rows: 3, columns: 3, ink }, 2))).toEqual([
      Math.round((255 * 1.25) / 2.25),
      Math.round((255 * 0.25) / 2.25),
      Math.round((255 * 0.25) / 2.25),
      Math.round((255 * 1.25) / 2.25),
    ]);
    expect(Array.from(areaAverage({ rows: 4, columns: 4, ink: new Uint8Array(16).fill(1) }, 2))).toEqual([
      255, 255, 255, 255,
    ]);
    expect(Array.from(areaAverage({ rows: 2, columns: 4, ink: Uint8Array.from([1, 1, 0, 0, 1, 0, 0, 0]) }, 2))).toEqual(
      [255, 0, 128, 0],
    );
  });

  it("keeps the amount of ink", () => {
    const ink = Uint8Array.from({ length: 105 * 105 }, (_, i) => ((i * 7919) % 13 < 3 ? 1 : 0));
    const grey = areaAverage({ rows: 105, columns: 105, ink }, 28);
    const [before, after] = [
      ink.reduce((sum, bit) => sum + bit, 0) / 105 ** 2,
      grey.reduce((sum, g) => sum + g, 0) / 255 / 784,
    ];
    expect(Math.abs(before - after)).toBeLessThan(0.5 / 255);
  });
});
