import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { poisson } from "../../src/engine/poisson.js";
import { randomKey, split } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { chiSquare, chiSquareBound, poissonMasses } from "./exactCdfs.js";
import { backends, expectNoLeak, kolmogorovSmirnov, mean, normalCdf, read, variance } from "./support.js";

const n = 20_000;

/** χ² of the counts against the exact masses, at .001. */
function expectMasses(draws: readonly number[], rate: number): void {
  const masses = poissonMasses(rate, Math.ceil(rate + 6 * Math.sqrt(rate)) + 2);
  const counts = masses.map(() => 0);
  expect(draws.every((draw) => Number.isInteger(draw) && draw >= 0)).toBe(true);
  for (const draw of draws) counts[Math.min(draw, counts.length - 1)]!++;
  const { statistic, degrees } = chiSquare(
    counts,
    masses.map((p) => p * draws.length),
  );
  expect(statistic).toBeLessThan(chiSquareBound(degrees));
}

describe.each(backends)("Poisson draws on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  // Both sides of 10, where the algorithm changes.
  test.each([0.3, 4, 9.99, 10, 12, 250])("λ = %d: mean within 4 s.e., χ² against the masses at .001", (rate) => {
    const draws = read(tf.tidy(() => poisson(randomKey(41), tf.scalar(rate), [n])));
    expect(Math.abs(mean(draws) - rate)).toBeLessThan(4 * Math.sqrt(rate / n));
    expectMasses(draws, rate);
  });

  test("λ = 1e6: moments within 4 s.e., Kolmogorov–Smirnov against the normal limit at .001", () => {
    const draws = read(tf.tidy(() => poisson(randomKey(42), tf.scalar(1e6), [n]))).map((x) => (x - 1e6) / 1e3);
    expect(Math.abs(mean(draws))).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(variance(draws) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    // The limit is within .0004 of the cdf (skewness 1e-3, spacing 1e-3), .06 on this scale.
    expect(kolmogorovSmirnov(draws, normalCdf)).toBeLessThan(1.95);
  });

  test("every element follows its own rate; λ = 0 gives 0; what is no rate gives NaN, and only there", () => {
    const rates = tf.tensor1d([0, 3, 60, -1, Number.NaN, Number.POSITIVE_INFINITY]);
    const draws = read(poisson(randomKey(43), rates, [n]));
    const column = (k: number): number[] => draws.filter((_, i) => i % 6 === k);
    expect(column(0).every((x) => x === 0)).toBe(true);
    for (const k of [3, 4, 5]) expect(column(k).every(Number.isNaN)).toBe(true);
    expect(Math.abs(mean(column(1)) - 3)).toBeLessThan(4 * Math.sqrt(3 / n));
    expect(Math.abs(mean(column(2)) - 60)).toBeLessThan(4 * Math.sqrt(60 / n));
    rates.dispose();
  });

  test("the same key gives the same bits in any shape asked for, and leaks nothing", () => {
    const of = (seed: number): number[] => read(tf.tidy(() => poisson(randomKey(seed), tf.scalar(5), [20])));
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    for (const shape of [[], [0], [3], [2, 5]]) {
      const x = tf.tidy(() => poisson(randomKey(4), tf.scalar(5), shape));
      expect(x.shape).toEqual(shape);
      x.dispose();
    }
    expectNoLeak(() => tf.tidy(() => poisson(randomKey(4), tf.fill([2], 30), [3])));
  });

  test("draws under split keys, and neighbours within a draw, are uncorrelated", () => {
    const [a, b] = split(randomKey(44)).map((key) => read(tf.tidy(() => poisson(key, tf.scalar(8), [n])))) as [
      number[],
      number[],
    ];
    const products = (x: readonly number[], y: readonly number[]): number =>
      mean(x.map((value, i) => (value - 8) * (y[i]! - 8))) / 8;
    expect(Math.abs(products(a, b))).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(products(a.slice(1), a.slice(0, -1)))).toBeLessThan(4 / Math.sqrt(n));
  });
});

test.each([10, 20])("portably, λ = %d follows the masses in 400 000 draws (χ² at .001)", async (rate) => {
  await ready({ backend: "cpu" });
  const draws = read(tf.tidy(() => poisson(randomKey(45), tf.scalar(rate), [400_000])));
  expectMasses(draws, rate);
});
