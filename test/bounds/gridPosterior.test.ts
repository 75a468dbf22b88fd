import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exactIwae, exactMarginalElbo } from "../../src/bounds/exactImportanceWeighted.js";
import { gridPosterior } from "../../src/bounds/gridPosterior.js";
import { productRule, trapezoid } from "../../src/diagnostics/quadrature.js";
import { Independent } from "../../src/distributions/independent.js";
import { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import type { Parameters } from "../../src/engine/parameters.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";

// Two independent copies of z ~ N(0, 1), x | z ~ N(z, 1), with q(z | x) = N(x/3, 1.2²) in each: every integral is a product of 1-D ones.
const scale = 1.2;
const model = {
  dimension: 2,
  logLikelihoodMatrix: (_theta: Parameters, z: Tensor2D, x: Tensor2D) =>
    normalLogDensity(tf.expandDims(x, 0), tf.expandDims(z, 1), 1, 1) as Tensor2D,
};
const family = {
  dimension: 2,
  distribution: (_phi: Parameters, x: Tensor2D) =>
    new Independent({
      base: new Normal({ mean: tf.mul(x, 1 / 3), scale: tf.fill(x.shape, scale) }),
      eventRank: 1,
    }),
};
const axis = trapezoid(-12, 12, 161);
const rule = productRule(axis, axis);

describe("gridPosterior", () => {
  let before = 0;
  let x: Tensor2D;
  beforeAll(async () => {
    await ready();
    before = tf.memory().numTensors;
    x = tf.tensor2d([
      [2, -0.5],
      [0.3, 1],
    ]);
  });
  afterAll(() => {
    x.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
  const exact = () => gridPosterior({ model, family, theta: {}, phi: {}, x, rule, step: 1 / 2 });

  it("gives the closed-form evidence, posterior mean and ELBO of each datum", async () => {
    const data = [
      [2, -0.5],
      [0.3, 1],
    ];
    (await exact()).forEach((datum, b) => {
      const evidence = data[b].reduce((sum, value) => sum - 0.5 * Math.log(4 * Math.PI) - value ** 2 / 4, 0);
      expect(datum.logEvidence).toBeCloseTo(evidence, 5);
      const first = rule.points.filter((_, i) => i % 2 === 0);
      expect(datum.expectation(datum.posterior, first)).toBeCloseTo(data[b][0] / 2, 5);
      // KL(N(x/3, 1.2²) ‖ N(x/2, ½)) in each dimension
      const divergence = data[b].reduce(
        (sum, value) => sum + 0.5 * (2 * scale ** 2 + 2 * (value / 6) ** 2 - 1 - Math.log(2 * scale ** 2)),
        0,
      );
      expect(datum.bound(1)).toBeCloseTo(evidence - divergence, 5);
      expect(datum.divergence(datum.resampled(1))).toBeCloseTo(divergence, 5);
      expect(datum.divergence(datum.posterior)).toBeCloseTo(0, 6);
    });
  });

  it("gives the exact L_k and q_EW of a datum that one dimension alone informs", async () => {
    // Where q equals the posterior in the second dimension, its weights are those of the first alone.
    const half = {
      dimension: 2,
      distribution: (_phi: Parameters, data: Tensor2D) =>
        new Independent({
          base: new Normal({
            mean: tf.mul(data, tf.tensor1d([1 / 3, 1 / 2])),
            scale: tf.mul(tf.onesLike(data), tf.tensor1d([scale, Math.SQRT1_2])),
          }),
          eventRank: 1,
        }),
    };
    const fine = productRule(trapezoid(-12, 12, 201), trapezoid(-8, 8, 101));
    const [datum] = await gridPosterior({ model, family: half, theta: {}, phi: {}, x, rule: fine, step: 1 / 2 });
    const one = conjugateGaussian.weightDistribution(2, { mean: 2 / 3, scale });
    const second = -0.5 * Math.log(4 * Math.PI) - 0.25 / 4;
    for (const k of [2, 10]) {
      expect(datum.bound(k)).toBeCloseTo(exactIwae(one, k) + second, 4);
      const marginal = datum.resampled(k);
      expect(marginal.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
      expect(datum.divergence(marginal)).toBeCloseTo(datum.logEvidence - exactMarginalElbo(one, k) - second, 4);
    }
  });

  it("refuses dimensions that differ, data that are no numbers, and a rule that does not hold q", async () => {
    const line = gridPosterior({ model, family, theta: {}, phi: {}, x, rule: trapezoid(-5, 5, 11) });
    await expect(line).rejects.toThrow(/the rule has 1 dimensions, the model 2/);
    const blank = tf.tensor2d([[2, Number.NaN]]);
    const missing = gridPosterior({
      model,
      family,
      theta: {},
      phi: {},
      x: blank,
      rule: productRule(trapezoid(-5, 5, 11), trapezoid(-5, 5, 11)),
    });
    await expect(missing).rejects.toThrow(/x\[0, 1\] is NaN/);
    blank.dispose();
    const narrow = productRule(trapezoid(-1, 1, 21), trapezoid(-1, 1, 21));
    const [datum] = await gridPosterior({ model, family, theta: {}, phi: {}, x, rule: narrow });
    expect(() => datum.resampled(2)).toThrow(/widen or refine/);
    expect(() => datum.bound(2)).toThrow(/widen or refine/);
  });
});
