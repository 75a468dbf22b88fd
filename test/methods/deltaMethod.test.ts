import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { tf } from "../../src/engine/tf.js";
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

  it("refuses bad input in a sentence", async () => {
    await expect(deltaMethod({ logDensity: turned(0), dimension: 2, start: [1] })).rejects.toThrow(
      "deltaMethod: start must hold 2 finite numbers",
    );
    await expect(deltaMethod({ logDensity: turned(0), dimension: 1.5 })).rejects.toThrow("positive integer, not 1.5");
  });
});
