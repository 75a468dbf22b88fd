import { beforeAll, describe, expect, it } from "vitest";
import {
  exactChiSquare,
  exactIwae,
  exactLogEvidence,
  exactMarginalElbo,
} from "../../src/bounds/exactImportanceWeighted.js";
import { ready } from "../../src/engine/backend.js";
import { type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import { bimodal, eightGaussians, gaussianSum, trimodal } from "../../src/models/toyDensities.js";
import { expectClose, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

describe.each([eightGaussians, bimodal, trimodal])("$name", (toy) => {
  it("integrates to what it says", () => {
    const [extent, step] = [14, 0.1];
    const axis = Array.from({ length: (2 * extent) / step + 1 }, (_, i) => -extent + i * step);
    const cells = toy.dimension === 1 ? axis.map((x) => [x]) : axis.flatMap((x) => axis.map((y) => [x, y]));
    const integral = cells.reduce((sum, z) => sum + toy.density(z), 0) * step ** toy.dimension;
    expect(Math.log(integral)).toBeCloseTo(toy.logEvidence, 8);
  });

  it("has one log-density in tensors and in Float64", () => {
    const points = [
      [0.2, 1.3],
      [-2.5, 2],
      [6, -7],
    ].map((z) => z.slice(0, toy.dimension));
    const z = tf.reshape(tf.tensor2d(points), [3, 1, toy.dimension]);
    const logDensity = toy.logDensity(z);
    expect(logDensity.shape).toEqual([3, 1]);
    expectClose(
      read(logDensity),
      points.map((z) => Math.log(toy.density(z))),
      2e-6,
    );
  });
});

describe("eightGaussians", () => {
  it("has the paper's settings", () => {
    expect(eightGaussians.logEvidence).toBeCloseTo(2.0794, 4);
    expect(eightGaussians.components).toHaveLength(8);
    expect(eightGaussians.components[1]).toEqual({ weight: 1, mean: [3, 0], variance: Math.exp(0.01) });
    expect(eightGaussians.components[7]).toEqual({ weight: 1, mean: [0, 0], variance: Math.E });
  });
});

describe("gaussianSum", () => {
  it("refuses parts that make no sense", () => {
    expect(() => gaussianSum("none", [])).toThrow("at least one component");
    expect(() => gaussianSum("flat", [{ weight: 1, mean: [0], variance: 0 }])).toThrow("must be positive");
    const parts = [
      { weight: 1, mean: [0], variance: 1 },
      { weight: 1, mean: [0, 0], variance: 1 },
    ];
    expect(() => gaussianSum("mixed", parts)).toThrow("same number of coordinates");
  });
});

describe("conjugateGaussian", () => {
  const prior = { mean: 0, scale: 1 };
  const weights = conjugateGaussian.weightDistribution(2, prior);

  it("has the values that the claims of the paper are held to", () => {
    const logEvidence = exactLogEvidence(weights);
    expect(logEvidence).toBeCloseTo(-2.265512, 6);
    expect(conjugateGaussian.logEvidence(2)).toBeCloseTo(logEvidence, 12);
    expect(exactIwae(weights, 1)).toBeCloseTo(-3.418939, 6);
    expect(conjugateGaussian.elbo(2, prior)).toBeCloseTo(exactIwae(weights, 1), 12);
    expect(exactIwae(weights, 2)).toBeCloseTo(-2.757902, 6);
    expect(exactMarginalElbo(weights, 2)).toBeCloseTo(-2.590961, 6);
    for (const [k, ratio] of [
      [2, 1.577],
      [5, 1.254],
      [10, 1.118],
      [50, 1.021],
    ]) {
      expect(((logEvidence - exactIwae(weights, k)) * 2 * k) / exactChiSquare(weights)).toBeCloseTo(ratio, 3);
    }
  });

  it("has an L_2 that brute-force quadrature over both samples agrees with", () => {
    const step = 0.05;
    const nodes = Array.from({ length: 401 }, (_, i) => -10 + i * step);
    const mass = nodes.map((z) => (step * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI));
    const w = nodes.map((z) => Math.exp(-((2 - z) ** 2) / 2) / Math.sqrt(2 * Math.PI));
    let sum = 0;
    for (let i = 0; i < 401; i++) for (let j = 0; j < 401; j++) sum += mass[i] * mass[j] * Math.log((w[i] + w[j]) / 2);
    expect(exactIwae(weights, 2)).toBeCloseTo(sum, 8);
  });

  it("has a posterior at which every bound touches", () => {
    const posterior = conjugateGaussian.posterior(2);
    expect(posterior).toEqual({ mean: 1, scale: Math.SQRT1_2 });
    expect(conjugateGaussian.elbo(2, posterior)).toBeCloseTo(conjugateGaussian.logEvidence(2), 12);
    expect(exactIwae(conjugateGaussian.weightDistribution(2, posterior), 7)).toBeCloseTo(-2.265512, 6);
  });

  it("has the joint density in tensors", () => {
    const logJoint = conjugateGaussian.logJoint(
      {},
      tf.tensor3d([[[0.5]], [[-1]]]) as Tensor3D,
      tf.tensor2d([[2]]) as Tensor2D,
    );
    expect(logJoint.shape).toEqual([2, 1]);
    const at = (z: number) => -(z * z + (2 - z) ** 2) / 2 - Math.log(2 * Math.PI);
    expectClose(read(logJoint), [at(0.5), at(-1)], 1e-6);
  });
});
