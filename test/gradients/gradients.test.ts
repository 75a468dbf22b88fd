import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { exactIwae } from "../../src/bounds/exactImportanceWeighted.js";
import { iwae } from "../../src/bounds/iwae.js";
import { Independent } from "../../src/distributions/independent.js";
import { Mixture } from "../../src/distributions/mixture.js";
import { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import type { Parameters } from "../../src/engine/parameters.js";
import { type Key, randomKey } from "../../src/engine/random.js";
import { type Scalar, type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { fullRankGaussian } from "../../src/families/fullRankGaussian.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { checkGradient } from "../../src/gradients/check.js";
import { estimateGradient, type Gradient } from "../../src/gradients/gradient.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import { densityProblem, latentVariableProblem } from "../../src/models/problem.js";
import { read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

/** The target N(m, Λ⁻¹), unnormalised: log f = −½ (z − m)ᵀ Λ (z − m). */
const precision = [
  [2, 0.8],
  [0.8, 1],
];
const centre = [1, -2];
const logDensity = (z: Tensor3D): Tensor => {
  const difference = tf.sub(z, tf.tensor1d(centre));
  const flat = tf.reshape(difference, [-1, 2]) as Tensor2D;
  return tf.mul(-0.5, tf.sum(tf.mul(difference, tf.reshape(tf.matMul(flat, tf.tensor2d(precision)), z.shape)), -1));
};
const replicates = 600;

describe("reparameterised", () => {
  it("has the exact gradient of the ELBO, mean-field on a Gaussian", async () => {
    const problem = densityProblem({ logDensity, family: meanFieldGaussian({ dimension: 2 }) });
    const [m, s] = [
      [0.3, 0.5],
      [0.7, 1.4],
    ];
    const phi = { mean: tf.tensor2d([m]), logScale: tf.tensor2d([s.map(Math.log)]) };
    // ELBO = −½ (m − μ)ᵀ Λ (m − μ) − ½ Σ Λ_dd s_d² + Σ log s_d + const
    const d = m.map((value, i) => value - centre[i]);
    const exact = {
      mean: tf.tensor2d([precision.map((row) => -(row[0] * d[0] + row[1] * d[1]))]),
      logScale: tf.tensor2d([s.map((value, i) => 1 - precision[i][i] * value ** 2)]),
    };
    const report = await checkGradient(
      (key) =>
        estimateGradient(reparameterised, { problem, bound: elbo, theta: {}, phi, samples: 16, key }).gradient.phi,
      exact,
      { replicates, key: randomKey(1) },
    );
    expect(report.verdict, String(report)).toBe("consistent");
    for (const { standardError } of report.components) expect(standardError).toBeLessThan(0.06);
  });

  it("has the exact gradient of the ELBO, full-rank on a Gaussian", async () => {
    const problem = densityProblem({ logDensity, family: fullRankGaussian({ dimension: 2 }) });
    const [a, b, c] = [0.6, 0.4, 1.2]; // L = [[a, 0], [b, c]]
    const m = [0.3, 0.5];
    const phi = {
      mean: tf.tensor2d([m]),
      logCholesky: tf.tensor3d([
        [
          [Math.log(a), 0],
          [b, Math.log(c)],
        ],
      ]),
    };
    // ELBO = … − ½ tr(Λ L Lᵀ) + log a + log c: ∂L = −Λ L + L⁻ᵀ below the diagonal, times L_dd for the logarithms on it.
    const d = m.map((value, i) => value - centre[i]);
    const [[p, r], [, q]] = precision;
    const exact = {
      mean: tf.tensor2d([[-(p * d[0] + r * d[1]), -(r * d[0] + q * d[1])]]),
      logCholesky: tf.tensor3d([
        [
          [1 - a * (p * a + r * b), 0],
          [-(r * a + q * b), 1 - c * q * c],
        ],
      ]),
    };
    const report = await checkGradient(
      (key) =>
        estimateGradient(reparameterised, { problem, bound: elbo, theta: {}, phi, samples: 16, key }).gradient.phi,
      exact,
      { replicates, key: randomKey(2) },
    );
    expect(report.verdict, String(report)).toBe("consistent");
    for (const { standardError } of report.components) expect(standardError).toBeLessThan(0.06);
  });

  it("has the exact gradient of the IWAE bound, from quadrature", async () => {
    const family = meanFieldGaussian({ dimension: 1 });
    const scale = 3; // N/S: it multiplies the gradient
    const problem = latentVariableProblem({ model: conjugateGaussian, family, x: tf.tensor2d([[2]]), scale });
    const [mean, logScale] = [0.2, -0.3];
    const bound = (mean: number, logScale: number): number =>
      exactIwae(conjugateGaussian.weightDistribution(2, { mean, scale: Math.exp(logScale) }), 5);
    const h = 1e-4;
    const exact = {
      mean: tf.tensor2d([[(scale * (bound(mean + h, logScale) - bound(mean - h, logScale))) / (2 * h)]]),
      logScale: tf.tensor2d([[(scale * (bound(mean, logScale + h) - bound(mean, logScale - h))) / (2 * h)]]),
    };
    const phi = { mean: tf.tensor2d([[mean]]), logScale: tf.tensor2d([[logScale]]) };
    const report = await checkGradient(
      (key) =>
        estimateGradient(reparameterised, { problem, bound: iwae, theta: {}, phi, samples: 5, key }).gradient.phi,
      exact,
      { replicates: 2 * replicates, key: randomKey(3) },
    );
    expect(report.verdict, String(report)).toBe("consistent");
    for (const { standardError } of report.components) expect(standardError).toBeLessThan(0.1);
  });

  it("refuses a q whose draws carry no gradient into its parameters, but not one that has none", () => {
    const modes = (mean: Tensor) =>
      new Mixture({
        weights: [0.5, 0.5],
        components: [-2, 2].map(
          (shift) => new Independent({ base: new Normal({ mean: tf.add(mean, shift), scale: 1 }), eventRank: 1 }),
        ),
      });
    const estimate = <Phi extends Parameters>(distribution: (phi: Phi) => Mixture, phi: Phi) => {
      const family = { dimension: 2, distribution };
      return estimateGradient(reparameterised, {
        problem: {
          ...densityProblem({ logDensity, family }),
          logP: ({ c }, z) => tf.add(logDensity(z), c) as Tensor2D,
        },
        bound: elbo,
        theta: { c: tf.scalar(0) },
        phi,
        samples: 3,
        key: randomKey(4),
      });
    };
    expect(() => estimate(({ mean }) => modes(mean), { mean: tf.zeros([1, 2]) })).toThrow(
      "no gradient flows through the draws of this q",
    );
    expect(read(estimate(() => modes(tf.zeros([1, 2])), {}).gradient.theta.c)).toEqual([1]);
  });

  it("leaves no tensor behind where a gradient fails", () => {
    const problem = densityProblem({ logDensity, family: meanFieldGaussian({ dimension: 2 }) });
    const phi = { mean: tf.zeros([1, 2]) as Tensor2D, logScale: tf.zeros([1, 2]) as Tensor2D };
    const vector: Gradient = ({ bound, ...rest }) => {
      const { value } = reparameterised({ bound, ...rest });
      return { value, surrogate: value as unknown as Scalar };
    };
    const before = tf.memory().numTensors;
    expect(() =>
      estimateGradient(vector, { problem, bound: elbo, theta: {}, phi, samples: 3, key: randomKey(4) }),
    ).toThrow("must return a scalar");
    expect(tf.memory().numTensors).toBe(before);
  });

  it("gives value and gradient and leaves nothing else, inside a scope or outside", () => {
    const problem = densityProblem({ logDensity, family: meanFieldGaussian({ dimension: 2 }) });
    const phi = { mean: tf.zeros([1, 2]) as Tensor2D, logScale: tf.zeros([1, 2]) as Tensor2D };
    const estimate = () =>
      estimateGradient(reparameterised, { problem, bound: iwae, theta: {}, phi, samples: 3, key: randomKey(4) });
    const before = tf.memory().numTensors;
    const { value, gradient } = estimate();
    expect(value.shape).toEqual([1]);
    expect(tf.memory().numTensors - before).toBe(3);
    tf.dispose([value, gradient.phi]);
    tf.tidy(() => {
      estimate();
    });
    expect(tf.memory().numTensors).toBe(before);
    const surrogate = reparameterised({ problem, bound: iwae, theta: {}, phi, samples: 3, key: randomKey(4) });
    expect(tf.memory().numTensors - before).toBe(2);
    expect(surrogate.surrogate.dataSync()[0]).toBeCloseTo(surrogate.value.dataSync()[0], 6);
  });
});

describe("checkGradient", () => {
  const noisy = (key: Key, shift: number) => {
    const problem = densityProblem({ logDensity, family: meanFieldGaussian({ dimension: 2 }) });
    const phi = { mean: tf.zeros([1, 2]) as Tensor2D, logScale: tf.zeros([1, 2]) as Tensor2D };
    const { gradient } = estimateGradient(reparameterised, {
      problem,
      bound: elbo,
      theta: {},
      phi,
      samples: 1,
      key,
    });
    return { mean: gradient.phi.mean, logScale: tf.add(gradient.phi.logScale, shift) as Tensor2D };
  };
  // At μ = 0, σ = 1: Λ m for the mean, 1 − Λ_dd for the log-scale.
  const exact = () => ({ mean: tf.tensor2d([[0.4, -1.2]]), logScale: tf.tensor2d([[-1, 0]]) });

  it("passes an estimator that is right, and catches one that is off by a little, by name", async () => {
    const right = await checkGradient((key) => noisy(key, 0), exact(), { replicates: 1000, key: randomKey(5) });
    expect(right.verdict).toBe("consistent");
    expect(right.components.map(({ name }) => name)).toEqual([
      "mean[0, 0]",
      "mean[0, 1]",
      "logScale[0, 0]",
      "logScale[0, 1]",
    ]);
    const wrong = await checkGradient((key) => noisy(key, 0.5), exact(), { replicates: 1000, key: randomKey(5) });
    expect(wrong.verdict).toBe("biased");
    expect(wrong.worst.name).toMatch(/^logScale/);
    expect(String(wrong)).toMatch(/^Biased: logScale\[0, \d\] is \d+\.\d standard errors off after 1000 estimates/);
    expect(String(wrong).split("\n")).toHaveLength(2 + 1 + 4);
  });

  it("reports the variance of one estimate", async () => {
    const values = [1, 3, 5];
    let i = 0;
    const report = await checkGradient(
      () => ({ x: tf.scalar(values[i++ % 3]) }),
      { x: tf.scalar(3) },
      {
        replicates: 300,
        key: randomKey(1),
      },
    );
    expect(report.totalVariance).toBeCloseTo((8 / 3) * (300 / 299), 10);
    expect(report.components[0].standardError).toBeCloseTo(Math.sqrt(8 / 3 / 299), 10);
  });

  it("judges an estimator without noise by rounding alone", async () => {
    const options = { replicates: 30, key: randomKey(1) };
    const at = (value: number) => () => ({ x: tf.scalar(value) });
    expect((await checkGradient(at(1 / 3), { x: tf.scalar(1 / 3) }, options)).verdict).toBe("consistent");
    expect((await checkGradient(at(0.3334), { x: tf.scalar(1 / 3) }, options)).verdict).toBe("biased");
    expect((await checkGradient(at(0), { x: tf.scalar(0) }, options)).verdict).toBe("consistent");
  });

  it("leaves no tensor behind and refuses what it cannot compare", async () => {
    const truth = exact();
    const options = { replicates: 30, key: randomKey(1) };
    const before = tf.memory().numTensors;
    await checkGradient((key) => noisy(key, 0), truth, options);
    expect(tf.memory().numTensors).toBe(before);
    await expect(checkGradient((key) => noisy(key, 0), truth, { ...options, replicates: 3 })).rejects.toThrow(
      "at least 30",
    );
    await expect(
      checkGradient(() => ({ mean: tf.zeros([2]), logScale: tf.zeros([1, 2]) }), { ...truth } as never, options),
    ).rejects.toThrow("the estimate is { mean [2], logScale [1, 2] }");
    const unknown = { ...truth, logScale: tf.tensor2d([[-1, Number.NaN]]) };
    await expect(checkGradient((key) => noisy(key, 0), unknown, options)).rejects.toThrow(
      "logScale[0, 1] of the exact gradient is NaN",
    );
    await expect(checkGradient((key) => noisy(key, Number.NaN), truth, options)).rejects.toThrow(
      "logScale[0, 0] of estimate 0 is NaN",
    );
  });
});
