import { beforeAll, describe, expect, it } from "vitest";
import type { Independent } from "../../src/distributions/independent.js";
import type { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters, type Parameters } from "../../src/engine/parameters.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { amortisedGaussian } from "../../src/families/amortisedGaussian.js";
import type { Family } from "../../src/families/family.js";
import { fullRankGaussian } from "../../src/families/fullRankGaussian.js";
import { type LowRankParameters, lowRankGaussian } from "../../src/families/lowRankGaussian.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { expectClose, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const logTwoPi = Math.log(2 * Math.PI);

describe("meanFieldGaussian", () => {
  it("is the product of normals with scale exp(logScale)", () => {
    const q = meanFieldGaussian({ dimension: 2 }).distribution({
      mean: tf.tensor2d([[1, -1]]),
      logScale: tf.tensor2d([[Math.log(2), Math.log(0.5)]]),
    });
    expect([q.batchShape, q.eventShape]).toEqual([[1], [2]]);
    // ((3 − 1)/2)² + ((−1.5 + 1)/.5)² = 2, and log 2 + log ½ = 0
    expectClose(read(q.logProb(tf.tensor3d([[[3, -1.5]]]))), [-1 - logTwoPi], 1e-6);
    expectClose(read(q.variance()), [4, 0.25], 1e-6);
  });
});

describe("fullRankGaussian", () => {
  it("has the covariance L Lᵀ of its log-Cholesky parameters, whatever stands above the diagonal", () => {
    const [a, b, c] = [1.5, -0.7, 0.4]; // L = [[a, 0], [b, c]]
    const q = fullRankGaussian({ dimension: 2 }).distribution({
      mean: tf.tensor2d([[1, -1]]),
      logCholesky: tf.tensor3d([
        [
          [Math.log(a), 99],
          [b, Math.log(c)],
        ],
      ]) as Tensor3D,
    });
    expectClose(read(q.variance()), [a * a, b * b + c * c], 1e-6);
    const [x, y] = [2, 0.3];
    const u = (x - 1) / a;
    const v = (y + 1 - b * u) / c;
    const expected = -(u * u + v * v) / 2 - Math.log(a * c) - logTwoPi;
    expectClose(read(q.logProb(tf.tensor3d([[[x, y]]]))), [expected], 1e-5);
  });
});

describe("lowRankGaussian", () => {
  it("has the covariance diag(σ²) + F Fᵀ of its parameters", () => {
    const q = lowRankGaussian({ dimension: 2, rank: 1 }).distribution({
      mean: tf.tensor2d([[1, -1]]),
      logScale: tf.tensor2d([[Math.log(0.5), Math.log(2)]]),
      factors: tf.tensor3d([[[1.5], [-0.7]]]),
    });
    const [a, b, c] = [0.25 + 2.25, -1.05, 4 + 0.49];
    expectClose(read(q.variance()), [a, c], 1e-6);
    const [x, y] = [1, 1.3];
    const determinant = a * c - b * b;
    const expected = -(c * x * x - 2 * b * x * y + a * y * y) / (2 * determinant) - Math.log(determinant) / 2;
    expectClose(read(q.logProb(tf.tensor3d([[[2, 0.3]]]))), [expected - logTwoPi], 1e-5);
  });

  it("refuses a rank that makes no sense", () => {
    expect(() => lowRankGaussian({ dimension: 2, rank: 3 })).toThrow("the rank 3 exceeds the dimension 2");
    expect(() => lowRankGaussian({ dimension: 2, rank: 0 })).toThrow("rank must be a positive integer");
    expect(() => lowRankGaussian({ dimension: 2, rank: 1, initialScale: 0 })).toThrow("initialScale");
  });
});

const families: [string, Family<Parameters>][] = [
  ["meanFieldGaussian", meanFieldGaussian({ dimension: 3, batchSize: 2, initialScale: 0.5 }) as Family<Parameters>],
  [
    "lowRankGaussian",
    {
      ...lowRankGaussian({ dimension: 3, batchSize: 2, rank: 2, initialScale: 0.5 }),
      // Without the small random factors, the scale is what was asked for.
      distribution: (phi) =>
        lowRankGaussian({ dimension: 3, batchSize: 2, rank: 2 }).distribution({
          ...(phi as LowRankParameters),
          factors: tf.zeros([2, 3, 2]),
        }),
    } as Family<Parameters>,
  ],
  ["fullRankGaussian", fullRankGaussian({ dimension: 3, batchSize: 2, initialScale: 0.5 }) as Family<Parameters>],
];

describe.each(families)("%s", (_name, family) => {
  it("starts with small random means and the scale asked for, the same for the same key", () => {
    const phi = family.init(randomKey(1));
    const q = family.distribution(phi);
    expect([q.batchShape, q.eventShape]).toEqual([[2], [3]]);
    expectClose(read(q.variance()), new Array(6).fill(0.25), 1e-6);
    const means = read(q.mean());
    expect(new Set(means).size).toBe(6);
    for (const mean of means) expect(Math.abs(mean)).toBeLessThan(0.5);
    expect(read(family.distribution(family.init(randomKey(1))).mean())).toEqual(means);
    const before = tf.memory().numTensors;
    disposeParameters(family.init(randomKey(2)));
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("amortisedGaussian", () => {
  const family = amortisedGaussian({ latent: 2, observed: 4, hidden: [5] });

  it("has the first half of the network's output for mean and the second for log-scale", () => {
    const bias = tf.tensor1d([1, 2, Math.log(3), Math.log(4)]);
    const phi = {
      layers: [
        { weights: tf.zeros([4, 5]) as Tensor2D, bias: tf.zeros([5]) as typeof bias },
        { weights: tf.zeros([5, 4]) as Tensor2D, bias },
      ],
    };
    const q = family.distribution(phi, tf.zeros([3, 4]) as Tensor2D);
    expect([q.batchShape, q.eventShape]).toEqual([[3], [2]]);
    expectClose(read(q.mean()), [1, 2, 1, 2, 1, 2], 1e-6);
    expectClose(read(q.variance()), [9, 16, 9, 16, 9, 16], 1e-5);
  });

  it("leaves nothing but the mean and scale of what it returns", () => {
    const phi = family.init(randomKey(3));
    const x = tf.zeros([3, 4]) as Tensor2D;
    const before = tf.memory().numTensors;
    const { mean, scale } = (family.distribution(phi, x) as Independent<Normal>).base.parameters;
    expect(tf.memory().numTensors - before).toBe(2);
    tf.dispose([mean as Tensor, scale as Tensor]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("tells data apart and refuses data of another width", () => {
    const phi = family.init(randomKey(3));
    const [first, , second] = read(
      family
        .distribution(
          phi,
          tf.tensor2d([
            [1, 0, 0, 0],
            [0, 0, 1, 1],
          ]),
        )
        .mean(),
    );
    expect(first).not.toBe(second);
    expect(() => family.distribution(phi, tf.zeros([3, 5]) as Tensor2D)).toThrow("amortisedGaussian: x");
  });
});

describe("sizes that make no sense", () => {
  it("are refused", () => {
    expect(() => meanFieldGaussian({ dimension: 0 })).toThrow("dimension must be a positive integer, not 0");
    expect(() => fullRankGaussian({ dimension: 2, batchSize: 1.5 })).toThrow("batchSize");
    expect(() => meanFieldGaussian({ dimension: 2, initialScale: 0 })).toThrow("initialScale");
    expect(() => fullRankGaussian({ dimension: 2, initialScale: -1 })).toThrow("initialScale");
    expect(() => amortisedGaussian({ latent: 0, observed: 4, hidden: [] })).toThrow("latent");
  });
});
