import { describe, expect, it } from "vitest";
import type { NumberTable } from "../../src/data/csv.js";
import { waveform } from "../../src/data/waveform.js";
import { mean, variance } from "../../src/diagnostics/moments.js";

function column({ values, rows, columns }: NumberTable, index: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => values[row * columns + index]);
}

/** Breiman's three waves, written out. */
const waves = [
  [0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1, 0],
  [0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0],
];

describe("waveform", () => {
  const n = 60_000;
  const { train: table } = waveform({ train: n, test: 0 });

  it("has rows (y, 1, x1 … x21), two thirds of them 1", () => {
    expect([table.rows, table.columns, table.header?.[0], table.header?.[22]]).toEqual([n, 23, "y", "x21"]);
    expect(new Set(column(table, 1))).toEqual(new Set([1]));
    const y = column(table, 0);
    expect(new Set(y)).toEqual(new Set([0, 1]));
    expect(Math.abs(mean(y) - 2 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / n));
  });

  it("is standardised, by the exact moments", () => {
    for (let i = 2; i < 23; i++) {
      const x = column(table, i);
      expect(Math.abs(mean(x))).toBeLessThan(4 / Math.sqrt(n));
      expect(Math.abs(variance(x) - 1)).toBeLessThan(4 * Math.sqrt(2 / n)); // a mixture's kurtosis is below a normal's here
    }
  });

  it("tells the mixtures of the first and third wave (0) from those with the second (1)", () => {
    const y = column(table, 0);
    const overall = (i: number): number => (waves[0][i] + waves[1][i] + waves[2][i]) / 3;
    for (let i = 0; i < 21; i++) {
      const x = column(table, i + 2);
      const means = [0, 1].map((label) => mean(x.filter((_, row) => y[row] === label)));
      const apart = (waves[0][i] + waves[2][i]) / 2 - overall(i); // of class 0 from all, times the scale
      const squares = [
        [0, 1],
        [0, 2],
        [1, 2],
      ].reduce((sum, [a, b]) => sum + (waves[a][i] ** 2 + waves[a][i] * waves[b][i] + waves[b][i] ** 2) / 9, 0);
      const scale = Math.sqrt(1 + squares - overall(i) ** 2);
      expect(Math.abs(means[0] - apart / scale)).toBeLessThan(4 / Math.sqrt(n / 3));
      expect(Math.abs(means[1] + apart / 2 / scale)).toBeLessThan(4 / Math.sqrt((2 * n) / 3));
    }
  });

  it("has noise of variance 1 that is normal: where no wave reaches, and between neighbours of one class", () => {
    // No wave reaches the first and last inputs: they are noise alone.
    for (const i of [2, 22]) {
      const x = column(table, i);
      expect(Math.abs(mean(x.map((value) => value ** 4)) - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
      expect(Math.abs(mean(x.map((value) => value ** 3)))).toBeLessThan(4 * Math.sqrt(15 / n));
    }
    const [first, last] = [column(table, 2), column(table, 22)];
    expect(Math.abs(mean(first.map((value, row) => value * last[row])))).toBeLessThan(4 / Math.sqrt(n));
  });

  it("makes a row of its seed, split and index alone, to four digits", () => {
    const { train, test } = waveform();
    expect([train.rows, test.rows]).toEqual([400, 4_600]);
    expect(Array.from(waveform({ train: 3, test: 1 }).train.values)).toEqual(Array.from(train.values.slice(0, 3 * 23)));
    expect(Array.from(test.values.slice(0, 23))).not.toEqual(Array.from(train.values.slice(0, 23)));
    expect(Array.from(waveform({ train: 1, seed: 2 }).train.values)).not.toEqual(Array.from(train.values.slice(0, 23)));
    for (const value of train.values) expect(Number(value.toFixed(4))).toBe(value);
  });

  it("refuses counts and seeds that are none", () => {
    expect(() => waveform({ train: -1 })).toThrow("waveform: train must be an integer in [0, 2^32), not -1.");
    expect(() => waveform({ seed: 0.5 })).toThrow("waveform: seed");
  });
});
