import { beforeAll, describe, expect, it } from "vitest";
import { type Estimate, weightedMean } from "../../src/diagnostics/moments.js";
import { paretoSmoothing } from "../../src/diagnostics/paretoSmoothing.js";
import { logGamma } from "../../src/diagnostics/specialFunctions.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { type AdviFit, advi } from "../../src/methods/advi.js";
import { explain } from "../../src/methods/explain.js";
import { interval } from "../../src/transforms/interval.js";
import { lowerCholesky } from "../../src/transforms/lowerCholesky.js";
import { ordered } from "../../src/transforms/ordered.js";
import type { Supports } from "../../src/transforms/unconstrained.js";

beforeAll(async () => {
  await ready();
});

/** Within four standard errors, which themselves resolve a share of the spread. */
function within(estimate: Estimate, exact: number, resolution: number): void {
  expect(estimate.standardError).toBeLessThan(resolution);
  expect(Math.abs(estimate.value - exact)).toBeLessThan(4 * estimate.standardError);
}

/** The draws' weights are nearly equal, and their mean is the integral. */
function integrates<S extends Supports>(fit: AdviFit<S>, exact: number): void {
  const { effectiveSampleSize, draws, logEvidence, gap } = explain(fit);
  expect(fit.converged).toBe(true);
  expect(effectiveSampleSize).toBeGreaterThan(0.85 * draws);
  expect(gap).toBeLessThan(0.1);
  within(logEvidence, exact, 0.01);
}

describe("advi on unknowns in", () => {
  it("an order: three numbers whose differences are gamma, in closed form", async () => {
    // y0 ~ N(1, 0.5²), y1 − y0 ~ Gamma(8, 4), y2 − y1 ~ Gamma(15, 3).
    const laws = [
      [8, 4],
      [15, 3],
    ];
    const column = (y: Tensor2D, i: number): Tensor => tf.reshape(tf.slice(y, [0, i], [-1, 1]), [-1]);
    const fit = await advi({
      supports: { y: ordered(3) },
      logJoint: ({ y }: { y: Tensor2D }) => {
        const terms = laws.map(([a, b], i) => {
          const difference = tf.sub(column(y, i + 1), column(y, i));
          return tf.sub(tf.mul(a - 1, tf.log(difference)), tf.mul(b, difference));
        });
        return tf.addN([tf.mul(-2, tf.square(tf.sub(column(y, 0), 1))), ...terms]);
      },
      family: "fullRank",
      key: randomKey(21),
    });
    const evidence = laws.reduce((sum, [a, b]) => sum + logGamma(a) - a * Math.log(b), Math.log(Math.PI / 2) / 2);
    integrates(fit, evidence);
    [1, 3, 8].forEach((mean, i) => {
      within(fit.summary[i].reweightedMean, mean, 0.03);
    });
    for (let s = 0; s < 1000; s++) {
      const [first, second, third] = fit.draws.y.subarray(3 * s, 3 * s + 3);
      expect(first < second && second < third).toBe(true);
    }
    fit.dispose();
  }, 60_000);

  it("an interval: two beta laws on (2, 5), in closed form", async () => {
    const shapes = [
      [6, 4],
      [5, 5],
    ];
    const fit = await advi({
      supports: { y: interval({ low: 2, high: 5 }, [2]) },
      logJoint: ({ y }: { y: Tensor2D }) => {
        const below = tf.mul(tf.tensor1d(shapes.map(([a]) => a - 1)), tf.log(tf.sub(y, 2)));
        const above = tf.mul(tf.tensor1d(shapes.map(([, b]) => b - 1)), tf.log(tf.sub(5, y)));
        return tf.sum(tf.add(below, above), 1);
      },
      family: "fullRank",
      key: randomKey(22),
    });
    // ∫ (y − 2)^{a−1} (5 − y)^{b−1} = 3^{a+b−1} B(a, b).
    const evidence = shapes.reduce(
      (sum, [a, b]) => sum + (a + b - 1) * Math.log(3) + logGamma(a) + logGamma(b) - logGamma(a + b),
      0,
    );
    integrates(fit, evidence);
    shapes.forEach(([a, b], i) => {
      const { reweightedMean, standardDeviation } = fit.summary[i];
      within(reweightedMean, 2 + (3 * a) / (a + b), 0.02);
      const exact = (3 * Math.sqrt((a * b) / (a + b + 1))) / (a + b);
      expect(Math.abs(standardDeviation / exact - 1)).toBeLessThan(0.03);
    });
    expect(fit.draws.y.every((value) => value > 2 && value < 5)).toBe(true);
    fit.dispose();
  }, 60_000);

  it("Cholesky factors: the inverse-Wishart posterior of a covariance, in closed form", async () => {
    // Σ ~ IW(ν, Ψ): E[Σ] = Ψ/(ν − 3).
    const nu = 30;
    const psi = [40, 18, 25]; // Ψ_11, Ψ_21, Ψ_22
    const determinant = psi[0] * psi[2] - psi[1] ** 2;
    const entry = (l: Tensor3D, i: number, j: number): Tensor => tf.reshape(tf.slice(l, [0, i, j], [-1, 1, 1]), [-1]);
    const fit = await advi({
      supports: { l: lowerCholesky(2) },
      logJoint: ({ l }: { l: Tensor3D }) => {
        const [a, b, c] = [entry(l, 0, 0), entry(l, 1, 0), entry(l, 1, 1)];
        const logs = tf.add(tf.log(a), tf.log(c)); // ½ log |Σ|
        // tr Ψ Σ⁻¹, with Σ⁻¹ = [b² + c², −ab; −ab, a²]/(ac)².
        const sum = tf.addN([
          tf.mul(psi[0], tf.add(tf.square(b), tf.square(c))),
          tf.mul(-2 * psi[1], tf.mul(a, b)),
          tf.mul(psi[2], tf.square(a)),
        ]);
        const logWishart = tf.sub(tf.mul(-(nu + 3), logs), tf.div(sum, tf.mul(2, tf.square(tf.mul(a, c)))));
        // The volume of Σ = L Lᵀ in L: 2² L_11² L_22.
        return tf.add(logWishart, tf.add(2 * Math.LN2, tf.add(tf.mul(2, tf.log(a)), tf.log(c))));
      },
      family: "fullRank",
      key: randomKey(23),
    });
    // ∫ |Σ|^{−(ν+3)/2} e^{−tr ΨΣ⁻¹/2} dΣ = 2^ν Γ₂(ν/2) |Ψ|^{−ν/2}, Γ₂(x) = √π Γ(x) Γ(x − ½).
    const evidence =
      nu * Math.LN2 +
      Math.log(Math.PI) / 2 +
      logGamma(nu / 2) +
      logGamma((nu - 1) / 2) -
      (nu / 2) * Math.log(determinant);
    integrates(fit, evidence);
    const S = fit.logWeights.length;
    const { logWeights } = paretoSmoothing(fit.logWeights);
    const covariance = (f: (a: number, b: number, c: number) => number): Estimate =>
      weightedMean(
        Float64Array.from({ length: S }, (_, s) =>
          f(fit.draws.l[4 * s], fit.draws.l[4 * s + 2], fit.draws.l[4 * s + 3]),
        ),
        logWeights,
      );
    const mean = psi.map((value) => value / (nu - 3));
    within(
      covariance((a) => a * a),
      mean[0],
      0.02,
    );
    within(
      covariance((a, b) => a * b),
      mean[1],
      0.02,
    );
    within(
      covariance((_, b, c) => b * b + c * c),
      mean[2],
      0.02,
    );
    fit.dispose();
  }, 60_000);
});
