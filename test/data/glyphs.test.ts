import { describe, expect, it } from "vitest";
import { glyphVariants } from "../../src/data/glyphStrokes.js";
import { type GlyphFactors, glyphs } from "../../src/data/glyphs.js";
import { mean, variance } from "../../src/diagnostics/moments.js";

describe("glyphs", () => {
  it("depends on seed and index alone", async () => {
    const few = await glyphs({ train: 30, test: 10 });
    const more = await glyphs({ train: 60, test: 20 });
    expect(more.train.slice(0, 30).images).toEqual(few.train.images);
    expect(more.test.slice(0, 10).labels).toEqual(few.test.labels);
    expect(few.train.slice(0, 10).images).not.toEqual(few.test.images);
    const other = await glyphs({ train: 30, test: 0, seed: 2 });
    expect(other.train.images).not.toEqual(few.train.images);
    expect(other.test.count).toBe(0);
  });

  it("draws every digit in every variant about equally often", async () => {
    const { train, trainFactors } = await glyphs({ train: 4000, test: 0 });
    for (let digit = 0; digit < 10; digit++) {
      const of = Array.from(train.labels.keys()).filter((i) => train.labels[i] === digit);
      expect(Math.abs(of.length - 400)).toBeLessThan(4 * Math.sqrt(4000 * 0.09));
      const share = 1 / glyphVariants[digit].length;
      for (const variant of glyphVariants[digit].keys()) {
        const count = of.filter((i) => trainFactors.variant[i] === variant).length;
        expect(Math.abs(count - of.length * share)).toBeLessThanOrEqual(4 * Math.sqrt(of.length * share * (1 - share)));
      }
    }
  });

  it("shows its factors in the images: thicker pens give more ink, shifts move the centre of mass", async () => {
    const { train, trainFactors } = await glyphs({ train: 1500, test: 0 });
    const moments = Array.from({ length: train.count }, (_, i) => {
      const [grey, at] = [train.grey([i]), (p: number) => [p % 28, Math.floor(p / 28)]];
      const ink = grey.reduce((total, value) => total + value, 0);
      const centre = (axis: 0 | 1) =>
        grey.reduce((total, value, p) => total + value * (at(p)[axis] + 0.5), 0) / ink - 14;
      return { ink, x: centre(0), y: centre(1) };
    });
    const of8 = Array.from(train.labels.keys()).filter((i) => train.labels[i] === 8);
    const correlation = (factor: Exclude<keyof GlyphFactors, "variant">, value: "ink" | "x" | "y"): number => {
      const a = of8.map((i) => trainFactors[factor][i]);
      const b = of8.map((i) => moments[i][value]);
      const [ma, mb] = [mean(a), mean(b)];
      return mean(a.map((v, i) => (v - ma) * (b[i] - mb))) / Math.sqrt(variance(a) * variance(b));
    };
    expect(correlation("pen", "ink")).toBeGreaterThan(0.8);
    expect(correlation("right", "x")).toBeGreaterThan(0.7);
    expect(correlation("down", "y")).toBeGreaterThan(0.7);
  });

  it("keeps every digit inside its frame, on a clean background, with full-range ink", async () => {
    const { train } = await glyphs({ train: 1000, test: 0 });
    let edge = 0;
    for (let i = 0; i < train.count; i++) {
      const image = train.images.subarray(i * 784, (i + 1) * 784);
      for (let k = 0; k < 28; k++) edge += image[k] + image[756 + k] + image[28 * k] + image[28 * k + 27];
      expect(Math.max(...image)).toBeGreaterThan(180);
      expect(image.filter((pixel) => pixel === 0).length).toBeGreaterThan(400);
    }
    // Like MNIST's, the outermost pixels are all but empty.
    expect(edge / (1000 * 108 * 255)).toBeLessThan(1e-3);
  });

  it("can be told apart by nearest class mean, so that labels and images belong together", async () => {
    const { train, test } = await glyphs({ train: 3000, test: 500 });
    const means = Array.from({ length: 10 }, () => new Float64Array(784));
    const counts = new Float64Array(10);
    const [grey, testGrey] = [train.grey(), test.grey()];
    for (let i = 0; i < train.count; i++) {
      counts[train.labels[i]]++;
      for (let p = 0; p < 784; p++) means[train.labels[i]][p] += grey[i * 784 + p];
    }
    let right = 0;
    for (let i = 0; i < test.count; i++) {
      const distances = means.map((sum, digit) =>
        sum.reduce((total, value, p) => total + (value / counts[digit] - testGrey[i * 784 + p]) ** 2, 0),
      );
      if (distances.indexOf(Math.min(...distances)) === test.labels[i]) right++;
    }
    expect(right / test.count).toBeGreaterThan(0.8);
  });

  it("refuses bad counts and seeds", async () => {
    await expect(glyphs({ train: -1 })).rejects.toThrow(/train must be an integer/);
    await expect(glyphs({ seed: 0.5 })).rejects.toThrow(/seed must be an integer/);
  });
});
