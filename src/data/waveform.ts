import { threefry2x32 } from "../engine/threefry.js";
import type { NumberTable } from "./csv.js";

/** How many rows of {@link waveform}, and from which seed; row i of a split depends on the seed and on i alone. */
export interface WaveformOptions {
  /** Training rows, 400 by default. */
  readonly train?: number;
  /** Test rows, 4,600 by default. */
  readonly test?: number;
  /** An integer in [0, 2³²), 1 by default. */
  readonly seed?: number;
}

const length = 21;
const positions = Array.from({ length }, (_, i) => i + 1);
/** The three base waves: triangles of height 6 about 7, 15 and 11. */
const waves = [7, 15, 11].map((peak) => positions.map((i) => Math.max(6 - Math.abs(i - peak), 0)));
/** Each class mixes two waves. Class 1 is told from the other two, as in the data set of the literature. */
const pairs = [
  [0, 1],
  [0, 2],
  [1, 2],
] as const;
const toldFromTheRest = 1;

/** Exact mean and standard deviation of every input, over classes, mixing proportions and noise: E u = ½, E u² = E (1 − u)² = ⅓, E u (1 − u) = ⅙. */
const population = positions.map((_, i) => {
  const mixed = pairs.map(([a, b]) => [waves[a][i], waves[b][i]] as const);
  const mean = mixed.reduce((total, [a, b]) => total + (a + b) / 2, 0) / 3;
  const square = mixed.reduce((total, [a, b]) => total + (a * a + a * b + b * b) / 3, 0) / 3;
  return { mean, scale: Math.sqrt(1 + square - mean * mean) };
});

/**
 * Breiman's waveform problem with two classes, drawn by ourselves: x_i = (u h_a(i) + (1 − u) h_b(i) + ε_i), i = 1 … 21, with u uniform on [0, 1], ε_i standard normal, and
 * (h_a, h_b) two of three triangular waves, which two being the class; y tells the second class (0) from the other two (1).
 *
 * The inputs are standardised by their exact means and deviations, rounded to four digits after the point (so that the same numbers come out on every machine), and
 * preceded by a 1: 22 columns. `data/manifest.json` holds their sha256.
 *
 * @returns rows (y, x0, …, x21).
 * @throws RangeError if a count or the seed is not an integer ≥ 0.
 * Source: Breiman, Friedman, Olshen & Stone 1984, "Classification and regression trees", section 2.6.2.
 */
export function waveform(options: WaveformOptions = {}): { readonly train: NumberTable; readonly test: NumberTable } {
  const { train = 400, test = 4_600, seed = 1 } = options;
  for (const [name, value] of Object.entries({ train, test, seed })) {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32)
      throw new RangeError(`waveform: ${name} must be an integer in [0, 2^32), not ${value}.`);
  }
  return { train: draw(seed, 0, train), test: draw(seed, 1, test) };
}

function draw(seed: number, split: number, rows: number): NumberTable {
  const columns = 2 + length;
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const key = threefry2x32([seed, split], [row, 0]);
    const [first, second] = threefry2x32(key, [0, 0]);
    const category = Math.floor((3 * first) / 2 ** 32);
    const u = second / 2 ** 32;
    const [a, b] = pairs[category];
    const out = values.subarray(row * columns, (row + 1) * columns);
    out[0] = category === toldFromTheRest ? 0 : 1;
    out[1] = 1;
    for (let i = 0; i < length; i++) {
      const signal = u * waves[a][i] + (1 - u) * waves[b][i];
      const { mean, scale } = population[i];
      out[2 + i] = Math.round(1e4 * ((signal + gaussian(threefry2x32(key, [1 + i, 0])) - mean) / scale)) / 1e4;
    }
  }
  return { header: ["y", "x0", ...positions.map((i) => `x${i}`)], rows, columns, values };
}

/** Box and Muller's transform of two words. */
function gaussian([first, second]: readonly [number, number]): number {
  return Math.sqrt(-2 * Math.log((first + 1) / 2 ** 32)) * Math.cos((2 * Math.PI * second) / 2 ** 32);
}
