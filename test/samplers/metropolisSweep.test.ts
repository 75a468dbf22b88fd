import { beforeAll, describe, expect, test } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { metropolisSweep } from "../../src/samplers/metropolisSweep.js";
import { backends, mean, read, variance } from "../engine/support.js";

/** ∫ f(y) N(y; centre, scale²) dy by the trapezoidal rule, which is exact to rounding for smooth f. */
function gaussianMean(f: (y: number) => number, centre: number, scale: number): number {
  let total = 0;
  const step = 0.001;
  for (let u = -9; u <= 9; u += step) total += f(centre + scale * u) * Math.exp(-0.5 * u * u);
  return (total * step) / Math.sqrt(2 * Math.PI);
}

/** Expects the mean of draws within four standard errors of the truth, and the error to be worth something. */
function expectMean(draws: readonly number[], truth: number, most: number): void {
  const error = Math.sqrt(variance(draws) / draws.length);
  expect(error).toBeLessThan(most);
  expect(Math.abs(mean(draws) - truth)).toBeLessThan(4 * error);
}

/** log p(q) = −q⁴/4 of every coordinate by itself. */
const quarticBlankets = (q: Tensor2D): Tensor => tf.mul(-0.25, tf.pow(q, 4));
const quartic = (q: number): number => -0.25 * q ** 4;

describe.each(backends)("on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  test.each([-1.3, 0.2, 2])("moves from %f by the kernel's own law, by quadrature", (start) => {
    const scale = 1.1;
    const n = 20_000;
    const before = tf.memory().numTensors;
    const { position, acceptanceProbability } = tf.tidy(() => {
      const inputs = { blankets: quarticBlankets, sets: [[0], [1]], key: randomKey(7) };
      return metropolisSweep({
        ...inputs,
        position: tf.fill([n / 2, 2], start) as Tensor2D,
        stepSizes: tf.tensor1d([scale, scale]),
      }) as never;
    }) as { readonly position: Tensor2D; readonly acceptanceProbability: Tensor2D };
    const [moved, probabilities] = [read(position), read(acceptanceProbability)];
    expect(tf.memory().numTensors).toBe(before);
    const alpha = (y: number): number => Math.min(1, Math.exp(quartic(y) - quartic(start)));
    const accepted = gaussianMean(alpha, start, scale);
    expectMean(probabilities, accepted, 0.004);
    expectMean(
      moved.map((x) => Number(Math.abs(x - start) > 1e-6)),
      accepted,
      0.004,
    );
    for (const power of [1, 2, 3]) {
      const f = (y: number): number => y ** power;
      const exact = gaussianMean((y) => alpha(y) * f(y), start, scale) + (1 - accepted) * f(start);
      expectMean(moved.map(f), exact, 0.08);
    }
  });

  test("leaves a grid's probabilities as they are, and its flows balanced", () => {
    // Positions on the half-integers of a table of nine; the density is flat within each cell.
    const logTable = [0, 0.7, -0.4, 1.1, 0.3, -1, 0.2, 0.9, -0.3];
    const blankets = (z: Tensor2D): Tensor =>
      tf.tidy(() => {
        const cell = tf.floor(z);
        const inside = tf.logicalAnd(tf.greaterEqual(cell, 0), tf.less(cell, 9));
        const rows = tf.reshape(tf.cast(tf.clipByValue(cell, 0, 8), "int32"), [-1]);
        const values = tf.reshape(tf.gather(tf.tensor1d(logTable), rows), z.shape);
        return tf.where(inside, values, tf.fill(z.shape, Number.NEGATIVE_INFINITY));
      });
    const weights = logTable.map(Math.exp);
    const total = weights.reduce((sum, w) => sum + w, 0);
    const n = 36_000;
    // Stratified draws of the exact law: the cells' shares are exact but for rounding.
    let [cell, share] = [0, weights[0]! / total];
    const start = Float32Array.from({ length: n }, (_, i) => {
      const u = (i + 0.5) / n;
      while (u > share) share += weights[++cell]! / total;
      return cell + ((i * 0.618034) % 1);
    });
    const moved = read(
      tf.tidy(
        () =>
          metropolisSweep({
            blankets,
            sets: [[0]],
            position: tf.tensor2d(start, [n, 1]),
            stepSizes: tf.tensor1d([2]),
            key: randomKey(3),
          }).position,
      ),
    );
    const flow = Array.from({ length: 9 }, () => new Float64Array(9));
    moved.forEach((z, i) => {
      flow[Math.floor(start[i]!)]![Math.floor(z)]! += 1;
    });
    for (let a = 0; a < 9; a++)
      for (let b = 0; b < a; b++) {
        const [there, back] = [flow[a]![b]!, flow[b]![a]!];
        expect(Math.abs(there - back)).toBeLessThan(4 * Math.sqrt(there + back) + 1);
      }
    expect(flow[3]![1]! + flow[1]![3]!).toBeGreaterThan(500);
  });
});

describe("on the fastest backend", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  test("moves a set's coordinates at once, each against the rest as it then stands", () => {
    // Blankets that tell what they were asked at: b_d = −(z_d − Σ of the other set)², so that the second set must see the first set's moves.
    const seen: number[][] = [];
    const blankets = (z: Tensor2D): Tensor => {
      seen.push(Array.from(z.dataSync()));
      return tf.zeros(z.shape); // accepts all
    };
    const { position } = metropolisSweep({
      blankets,
      sets: [[0, 2], [1]],
      position: tf.tensor2d([[1, 2, 3]]),
      stepSizes: tf.tensor1d([0.5, 0.5, 0.5]),
      key: randomKey(1),
    });
    const last = read(position);
    expect(seen[0]!.slice(0, 3)).toEqual([1, 2, 3]);
    expect(seen[0]![4]).toBe(2); // not of the set
    expect(seen[0]![3]).toBe(last[0]);
    expect(seen[0]![5]).toBe(last[2]);
    expect(seen[1]!.slice(0, 3)).toEqual([last[0], 2, last[2]]);
    expect(seen[1]!.slice(3)).toEqual(last);
    expect(new Set([last[0]! - 1, last[1]! - 2, last[2]! - 3]).size).toBe(3);
  });

  test("never goes where a blanket is NaN or −∞, and says so of its probability", () => {
    for (const wrong of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      const start = tf.fill([500, 1], 0.5) as Tensor2D;
      const blankets = (z: Tensor2D): Tensor => tf.where(tf.greater(z, 0), tf.zerosLike(z), tf.fill(z.shape, wrong));
      const inputs = { blankets, sets: [[0]], stepSizes: tf.tensor1d([1]) as Tensor1D, key: randomKey(5) };
      const { position, acceptanceProbability } = metropolisSweep({ ...inputs, position: start });
      const [moved, probabilities] = [read(position), read(acceptanceProbability)];
      expect(Math.min(...moved)).toBeGreaterThan(0);
      expect(new Set(probabilities)).toEqual(new Set([0, 1]));
      expect(moved.filter((z) => z === 0.5).length).toBe(probabilities.filter((p) => p === 0).length);
    }
  });

  test("refuses blankets that sum over the coordinates", () => {
    const inputs = { sets: [[0, 1]], stepSizes: tf.tensor1d([1, 1]) as Tensor1D, key: randomKey(5) };
    expect(() =>
      metropolisSweep({ ...inputs, blankets: (z) => tf.sum(z, 1), position: tf.zeros([3, 2]) as Tensor2D }),
    ).toThrow("a log-density for each coordinate, [6,2], but returned [6]");
  });
});
