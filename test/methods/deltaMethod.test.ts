import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { deltaMethod } from "../../src/methods/deltaMethod.js";
import { laplace } from "../../src/methods/laplace.js";
import { logisticRegression } from "../../src/models/logisticRegression.js";
import type { LogDensity } from "../../src/samplers/slope.js";
import { logEvidence, mean, priorScale, rows } from "./logisticTruth.js";

beforeAll(async () => {
  await ready();
});

/** z_d = log λ_d with λ_d ~ Gamma(a_d, b_d), turned by ρ: coordinates that interact. */
const shapes = [4, 7];
const rates = [2, 3];
const turned =
  (angle: number): LogDensity =>
  (z) =>
    tf.tidy(() => {
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      const rotated = tf.matMul(tf.reshape(z, [-1, 2]), tf.tensor2d([c, s, -s, c], [2, 2]));
      const terms = tf.sub(tf.mul(rotated, tf.tensor1d(shapes)), tf.mul(tf.exp(rotated), tf.tensor1d(rates)));
      return tf.reshape(tf.sum(terms, 1), z.shape.slice(0, -1));
    });

describe("deltaMethod", () => {
  it.each([0, 0.7])("meets the closed form for gammas in log coordinates, turned by %s", async (angle) => {
    const before = tf.memory().numTensors;
    const fit = await deltaMethod({ logDensity: turned(angle), dimension: 2 });
    expect(tf.memory().numTensors).toBe(before);
    // The objective a μ − b eᵘ − ½ log(b eᵘ) peaks at eᵘ = (a − ½)/b, with the variance 1/(a − ½).
    const means = shapes.map((a, d) => Math.log((a - 0.5) / rates[d]));
    const variances = shapes.map((a) => 1 / (a - 0.5));
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const expected = [c * means[0] + s * means[1], -s * means[0] + c * means[1]];
    for (const d of [0, 1]) expect(fit.mean[d]).toBeCloseTo(expected[d], 4);
    expect(fit.covariance![0]).toBeCloseTo(c * c * variances[0] + s * s * variances[1], 4);
    expect(fit.covariance![1]).toBeCloseTo(c * s * (variances[1] - variances[0]), 4);
    const objective = shapes.reduce((sum, a, d) => {
      const mu = means[d];
      return sum + a * mu - (a - 0.5) - Math.log(a - 0.5) / 2 + Math.log(2 * Math.PI) / 2;
    }, 0);
    expect(fit.logEvidence).toBeCloseTo(objective, 4);
    expect(fit.converged).toBe(true);
  });

  it("is Laplace's method on a Gaussian, and at least its evidence elsewhere", async () => {
    const gaussian: LogDensity = (z) => tf.tidy(() => tf.mul(-2, tf.sum(tf.square(tf.sub(z, 0.3)), -1)));
    const fit = await deltaMethod({ logDensity: gaussian, dimension: 3 });
    expect(fit.mean[0]).toBeCloseTo(0.3, 4);
    expect(fit.logEvidence).toBeCloseTo(1.5 * Math.log(Math.PI / 2), 4);
    const [delta, mode] = await Promise.all([
      deltaMethod({ logDensity: turned(0.4), dimension: 2 }),
      laplace({ logDensity: turned(0.4), dimension: 2 }),
    ]);
    expect(delta.logEvidence).toBeGreaterThan(mode.logEvidence + 0.01);
  });

  it("moves off a logistic regression's mode towards the posterior mean", async () => {
    const model = logisticRegression({ inputs: 2, priorScale });
    const data = tf.tensor2d(rows.map((row) => [...row]));
    const logDensity: LogDensity = (z) => model.logJoint(z, data);
    const mode = await laplace({ logDensity, dimension: 2 });
    const fit = await deltaMethod({ logDensity, dimension: 2 });
    expect(Math.abs(fit.mean[1] - mean[1])).toBeLessThan(0.8 * Math.abs(mode.mean[1] - mean[1]));
    expect(Math.abs(fit.logEvidence - logEvidence)).toBeLessThan(0.15);
    data.dispose();
  });

  it("climbs away from a saddle of the objective, where the gradient is shorter than at the mode", async () => {
    // In x: ℓ = −x²/20 − .3 log cosh 2.7(x + 1.2) − .4 log cosh 2.3(x − 1); y is N(0, 1).
    const bumps = [
      [0.3, 2.7, -1.2],
      [0.4, 2.3, 1],
    ];
    const logCosh = (x: Tensor): Tensor => tf.log(tf.add(tf.exp(x), tf.exp(tf.neg(x))));
    const logDensity: LogDensity = (z) =>
      tf.tidy(() => {
        const [x, y] = tf.split(tf.reshape(z, [-1, 2]), 2, 1);
        const quadratic = [tf.mul(-0.05, tf.square(x)), tf.mul(-0.5, tf.square(y))];
        const terms = bumps.map(([b, k, c]) => tf.mul(-b, logCosh(tf.mul(k, tf.sub(x, c)))));
        return tf.reshape(tf.addN([...quadratic, ...terms]), z.shape.slice(0, -1));
      });
    const curvature = (x: number): number =>
      0.1 + bumps.reduce((sum, [b, k, c]) => sum + b * (k / Math.cosh(k * (x - c))) ** 2, 0);
    const objective = (x: number): number =>
      -(x ** 2) / 20 -
      bumps.reduce((sum, [b, k, c]) => sum + b * Math.log(2 * Math.cosh(k * (x - c))), 0) -
      Math.log(curvature(x)) / 2 +
      Math.log(2 * Math.PI);
    const grid = Array.from({ length: 8001 }, (_, i) => -4 + i / 1000);
    const highest = grid.reduce((best, x) => (objective(x) > objective(best) ? x : best));
    const mode = await laplace({ logDensity, dimension: 2 });
    // Two steps that shorten the gradient and lower the objective lead to the saddle, a minimum in x.
    const saddle = -1.4819;
    expect(objective(saddle)).toBeLessThan(Math.min(objective(saddle - 0.1), objective(saddle + 0.1)));
    expect(objective(saddle)).toBeLessThan(objective(mode.mean[0]) - 0.1);
    const fit = await deltaMethod({ logDensity, dimension: 2 });
    expect(fit.converged).toBe(true);
    expect(fit.mean[0]).toBeCloseTo(highest, 2);
    expect(fit.mean[1]).toBeCloseTo(0, 4);
    expect(fit.logEvidence).toBeCloseTo(objective(highest), 3);
    expect(fit.logEvidence).toBeGreaterThan(objective(mode.mean[0]));
  });

  it("refuses bad input in a sentence", async () => {
    await expect(deltaMethod({ logDensity: turned(0), dimension: 2, start: [1] })).rejects.toThrow(
      "deltaMethod: start must hold 2 finite numbers",
    );
    await expect(deltaMethod({ logDensity: turned(0), dimension: 1.5 })).rejects.toThrow("positive integer, not 1.5");
    for (const maxSteps of [0, -3, Number.NaN, 2.5])
      await expect(deltaMethod({ logDensity: turned(0), dimension: 2, maxSteps })).rejects.toThrow(
        `deltaMethod: maxSteps must be a positive integer, not ${maxSteps}`,
      );
  });
});
