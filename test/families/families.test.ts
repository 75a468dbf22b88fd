import { beforeAll, describe, expect, it } from "vitest";
import type { Independent } from "../../src/distributions/independent.js";
import type { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters, type Parameters } from "../../src/engine/parameters.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { amortisedBernoulli } from "../../src/families/amortisedBernoulli.js";
import { amortisedCategorical } from "../../src/families/amortisedCategorical.js";
import { amortisedGaussian } from "../../src/families/amortisedGaussian.js";
import type { Family } from "../../src/families/family.js";
import { fullRankGaussian } from "../../src/families/fullRankGaussian.js";
import { type LowRankParameters, lowRankGaussian } from "../../src/families/lowRankGaussian.js";
import { meanFieldBernoulli } from "../../src/families/meanFieldBernoulli.js";
import { meanFieldCategorical } from "../../src/families/meanFieldCategorical.js";
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

describe("discrete families", () => {
  const bias = (values: readonly number[], observed: number) => ({
    layers: [{ weights: tf.zeros([observed, values.length]) as Tensor2D, bias: tf.tensor1d([...values]) }],
  });

  it("meanFieldBernoulli and meanFieldCategorical hold logits, and start near even odds", () => {
    const bits = meanFieldBernoulli({ dimension: 3, batchSize: 2 });
    const choices = meanFieldCategorical({ variables: 2, states: 3, batchSize: 2 });
    expect([bits.dimension, choices.dimension]).toEqual([3, 6]);
    const q = bits.distribution({ logits: tf.tensor2d([[0, Math.log(3), -Math.log(3)]]) });
    expectClose(read(q.mean()), [0.5, 0.75, 0.25], 1e-6);
    expectClose(read(q.logProb(tf.tensor3d([[[1, 1, 1]]]))), [Math.log(0.5 * 0.75 * 0.25)], 1e-6);
    const law = choices.distribution({
      logits: tf.tensor3d([
        [
          [0, 0, Math.log(2)],
          [Math.log(3), 0, 0],
        ],
      ]),
    });
    expectClose(read(law.logProb(tf.tensor3d([[[0, 0, 1, 1, 0, 0]]]))), [Math.log(0.5 * 0.6)], 1e-6);
    for (const [family, even] of [
      [bits as Family<Parameters>, 1 / 2],
      [choices as Family<Parameters>, 1 / 3],
    ] as const) {
      const means = read(family.distribution(family.init(randomKey(1))).mean());
      expect(means).toHaveLength(2 * family.dimension);
      expect(new Set(means).size).toBe(means.length);
      for (const mean of means) expect(Math.abs(mean - even)).toBeLessThan(0.12);
      const before = tf.memory().numTensors;
      disposeParameters(family.init(randomKey(2)));
      expect(tf.memory().numTensors).toBe(before);
    }
  });

  it("the encoders' outputs are the logits, one q a datum", () => {
    const x = tf.ones([3, 4]) as Tensor2D;
    const q = amortisedBernoulli({ latent: 2, observed: 4, hidden: [] }).distribution(bias([0, Math.log(3)], 4), x);
    expect([q.batchShape, q.eventShape]).toEqual([[3], [2]]);
    expectClose(read(q.mean()), [0.5, 0.75, 0.5, 0.75, 0.5, 0.75], 1e-6);
    const family = amortisedCategorical({ variables: 2, states: 2, observed: 4, hidden: [] });
    const law = family.distribution(bias([0, Math.log(3), Math.log(4), 0], 4), x);
    expect([law.batchShape, law.eventShape, family.dimension]).toEqual([[3], [4], 4]);
    expectClose(read(law.mean()).slice(0, 4), [0.25, 0.75, 0.8, 0.2], 1e-6);
  });

  it("refuse sizes that make no sense and data of another width", () => {
    expect(() => meanFieldBernoulli({ dimension: 0 })).toThrow("meanFieldBernoulli: dimension must be a positive");
    expect(() => meanFieldCategorical({ variables: 2, states: 1 })).toThrow("states must be an integer of at least 2");
    expect(() => meanFieldCategorical({ variables: 0, states: 3 })).toThrow("meanFieldCategorical: variables");
    const encoder = amortisedBernoulli({ latent: 2, observed: 4, hidden: [3] });
    expect(() => encoder.distribution(encoder.init(randomKey(1)), tf.ones([2, 3]))).toThrow(
      "amortisedBernoulli: x has",
    );
    const choices = amortisedCategorical({ variables: 1, states: 3, observed: 4, hidden: [3] });
    expect(() => choices.distribution(choices.init(randomKey(1)), tf.ones([2, 3]))).toThrow(
      "amortisedCategorical: x has",
    );
    expect(() => amortisedBernoulli({ latent: 0, observed: 4, hidden: [] })).toThrow(
      "latent must be a positive integer",
    );
    expect(() => amortisedCategorical({ variables: 1, states: 1, observed: 4, hidden: [] })).toThrow(
      "at least 2, not 1",
    );
  });
});
