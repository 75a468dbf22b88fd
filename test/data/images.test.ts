import { describe, expect, it } from "vitest";
import { ImageSet } from "../../src/data/images.js";
import { tf } from "../../src/engine/tf.js";

const set = new ImageSet({
  images: Uint8Array.of(0, 4, 8, 16, 1, 2, 3, 4, 16, 16, 16, 16),
  labels: Uint8Array.of(7, 8, 9),
  rows: 2,
  columns: 2,
  maximum: 16,
});

describe("ImageSet", () => {
  it("knows its shape and scales grey to [0, 1]", () => {
    expect(set.shape).toEqual([3, 2, 2]);
    expect(set.count).toBe(3);
    expect(set.pixels).toBe(4);
    expect(Array.from(set.grey([2, 0]))).toEqual([1, 1, 1, 1, 0, 0.25, 0.5, 1]);
    expect(set.grey()).toHaveLength(12);
    expect(Array.from(set.grey()).slice(4, 8)).toEqual([1 / 16, 2 / 16, 3 / 16, 4 / 16]);
  });

  it("makes one tensor [B, P] and leaves no other", async () => {
    const before = tf.memory().numTensors;
    const batch = set.tensor([1, 1]);
    expect(batch.shape).toEqual([2, 4]);
    expect(Array.from(await batch.data())).toEqual([1, 2, 3, 4, 1, 2, 3, 4].map((v) => v / 16));
    batch.dispose();
    const all = set.tensor();
    expect(all.shape).toEqual([3, 4]);
    all.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("slices images with their labels", () => {
    const tail = set.slice(1).slice(1, 2);
    expect(Array.from(tail.labels)).toEqual([9]);
    expect(Array.from(tail.images)).toEqual([16, 16, 16, 16]);
    expect(set.slice(-2, -1).labels[0]).toBe(8);
    expect(set.slice(0, 2).count).toBe(2);
  });

  it("refuses what does not fit", () => {
    expect(() => set.grey([3])).toThrow("There is no image 3; this set has images 0 to 2.");
    expect(() => set.grey([0.5])).toThrow(RangeError);
    expect(() => new ImageSet({ ...set, labels: Uint8Array.of(1) })).toThrow(/12 pixels are not 1 images of 2×2/);
    expect(() => new ImageSet({ ...set, maximum: 15 })).toThrow(/Pixel 3 is 16, above the maximum 15/);
  });
});
