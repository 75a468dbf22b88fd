import { beforeAll, describe, expect, test } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { gradientVariance } from "../../src/gradients/gradientVariance.js";
import { pathDerivative } from "../../src/gradients/pathDerivative.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { densityProblem } from "../../src/models/problem.js";

beforeAll(async () => {
  await ready();
});

// log p = −½ Σ λ_d z_d², q = N(m, s²): the path's gradient in m is −λ (m + s ε), of variance λ² s² / K, and in log s
// −λ (m + s ε) s ε + 1, of variance λ² s² (m² + 2 s²) / K.
const [lambda, m, s, K] = [[1, 3], [0.5, -1], [0.7, 0.4], 4] as const;
const problem = densityProblem({
  family: meanFieldGaussian({ dimension: 2 }),
  logDensity: (z) => tf.mul(-0.5, tf.sum(tf.mul(tf.tensor1d([...lambda]), tf.square(z)), 2)),
});
const phiAt = (means: readonly number[], deviations: readonly number[]) => ({
  mean: tf.tensor2d([[...means]]),
  logScale: tf.tensor2d([deviations.map(Math.log)]) as Tensor2D,
});
const exact = (means: readonly number[], deviations: readonly number[]) => ({
  mean: [...means.map((a, d) => -lambda[d]! * a), ...deviations.map((b, d) => 1 - lambda[d]! * b ** 2)],
  variance: [
    ...deviations.map((b, d) => (lambda[d]! * b) ** 2 / K),
    ...deviations.map((b, d) => ((lambda[d]! * b) ** 2 * (means[d]! ** 2 + 2 * b ** 2)) / K),
  ],
});

describe("gradientVariance", () => {
  test("finds the exact means and variances, at one point and at another, and leaves nothing behind", async () => {
    const points = [
      [m, s],
      [
        [-2, 0.1],
        [1.2, 0.2],
      ],
    ] as const;
    const phis = points.map(([means, deviations]) => phiAt(means, deviations));
    const before = tf.memory().numTensors;
    const found = gradientVariance(reparameterised, { problem, bound: elbo, samples: K, replicates: 50, batches: 40 });
    for (const [i, [means, deviations]] of points.entries()) {
      const truth = exact(means, deviations);
      const at = await found.at({ phi: phis[i]!, key: randomKey(i) });
      expect(at.mean.length).toBe(4);
      truth.variance.forEach((variance, component) => {
        const measured = at.average([component]);
        expect(measured.n).toBe(40);
        expect(measured.standardError / variance).toBeLessThan(0.1);
        expect(Math.abs(measured.value - variance)).toBeLessThan(4 * measured.standardError);
        expect(Math.abs(at.mean[component]! - truth.mean[component]!)).toBeLessThan(4 * Math.sqrt(variance / 2000));
      });
      const all = at.average();
      expect(all.value).toBeCloseTo(
        [0, 1, 2, 3].reduce((sum, c) => sum + at.average([c]).value / 4, 0),
        6,
      );
      const other = await found.at({ phi: phis[i]!, key: randomKey(9) });
      expect(other.mean).not.toEqual(at.mean);
      expect((await found.at({ phi: phis[i]!, key: randomKey(i) })).batches).toEqual(at.batches);
    }
    found.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("has no bias in the smallest of batches", async () => {
    const found = gradientVariance(reparameterised, { problem, bound: elbo, samples: K, replicates: 2, batches: 300 });
    const at = await found.at({ phi: phiAt(m, s), key: randomKey(3) });
    exact(m, s)
      .variance.slice(0, 2)
      .forEach((variance, component) => {
        const { value, standardError } = at.average([component]);
        expect(standardError).toBeLessThan(0.12 * variance);
        expect(Math.abs(value - variance)).toBeLessThan(4 * standardError);
      });
    found.dispose();
  });

  test("finds no variance where there is none", async () => {
    // At q = p the path derivative is 0 draw by draw; what the means add must not be taken for noise.
    const found = gradientVariance(pathDerivative, { problem, bound: elbo, samples: K, replicates: 4, batches: 2 });
    const at = await found.at({ phi: phiAt([0, 0], [1, 1 / Math.sqrt(3)]), key: randomKey(1) });
    expect(at.average().value).toBeLessThan(1e-10);
    found.dispose();
  });

  test("says what is wrong with its input", async () => {
    const options = { problem, bound: elbo, samples: K };
    expect(() => gradientVariance(reparameterised, { ...options, replicates: 1 })).toThrow(
      "replicates must be an integer of at least 2, not 1",
    );
    expect(() => gradientVariance(reparameterised, { ...options, batches: 1.5 })).toThrow("batches must be an integer");
    const found = gradientVariance(reparameterised, { ...options, replicates: 2, batches: 2 });
    const at = await found.at({ phi: phiAt(m, s), key: randomKey(1) });
    expect(() => at.average([])).toThrow("at least one component");
    expect(() => at.average([4])).toThrow("components go from 0 to 3, not 4");
    await expect(found.at({ phi: phiAt([Number.NaN, 0], s), key: randomKey(1) })).rejects.toThrow("is not finite");
    found.dispose();
  });
});
