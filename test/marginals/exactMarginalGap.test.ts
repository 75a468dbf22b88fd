import { describe, expect, it } from "vitest";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { exactMarginalGap } from "../../src/marginals/exactMarginalGap.js";
import { type Auxiliary, expectedEstimate, logNormal, marginalOf, reverseOf } from "./linearGaussianTruth.js";

const q = { slope: 1.3, shift: 0.4, scale: 0.7 };
const { mean, scale } = marginalOf(q);
const exact = reverseOf(q);
const wide = trapezoid(-9, 9, 361);
const gapWith = (tau: Auxiliary) =>
  exactMarginalGap({
    z: trapezoid(mean - 6 * scale, mean + 6 * scale, 49),
    logDensity: (z) => logNormal(z, mean, scale),
    psi: () => wide,
    logReverse: (psi, z) => logNormal(psi, exact(z).mean, exact(z).scale),
    logTau: (psi, z) => logNormal(psi, tau(z).mean, tau(z).scale),
  });
/** KL between Gaussians. */
const divergence = (a: { mean: number; scale: number }, b: { mean: number; scale: number }): number =>
  Math.log(b.scale / a.scale) + (a.scale ** 2 + (a.mean - b.mean) ** 2) / (2 * b.scale ** 2) - 0.5;
const prior: Auxiliary = () => ({ mean: 0, scale: 1 });
const learned: Auxiliary = (z) => ({ mean: 0.3 * z - 0.1, scale: 0.55 });

describe("exactMarginalGap", () => {
  it("is the divergence between reverse and τ where one weight stands alone, either way around", () => {
    const rule = trapezoid(mean - 7 * scale, mean + 7 * scale, 141);
    const average = (of: (z: number) => number): number =>
      rule.points.reduce((sum, z, i) => sum + Math.exp(rule.logWeights[i] + logNormal(z, mean, scale)) * of(z), 0);
    const gap = gapWith(learned);
    expect(gap(0).upper).toBeCloseTo(
      average((z) => divergence(exact(z), learned(z))),
      7,
    );
    expect(gap(0).lower).toBe(Number.NEGATIVE_INFINITY);
    expect(gap(1).lower).toBeCloseTo(-average((z) => divergence(learned(z), exact(z))), 7);
    // With τ the mixing law, K = 0 leaves the mutual information of z and ψ.
    expect(gapWith(prior)(0).upper).toBeCloseTo(Math.log(scale / q.scale), 7);
  });

  it("agrees with another quadrature, and closes in from both sides as K grows", () => {
    const truth = -Math.log(scale) - Math.log(2 * Math.PI * Math.E) / 2;
    for (const tau of [prior, learned]) {
      const gap = gapWith(tau);
      let last = { upper: gap(0).upper, lower: Number.NEGATIVE_INFINITY };
      for (const samples of [1, 5, 20, 200]) {
        const found = gap(samples);
        expect(found.upper).toBeCloseTo(expectedEstimate(q, tau, samples, true) - truth, 4);
        if (samples > 1) expect(found.lower).toBeCloseTo(expectedEstimate(q, tau, samples, false) - truth, 4);
        expect(found.upper).toBeLessThan(last.upper);
        expect(found.upper).toBeGreaterThan(0);
        expect(found.lower).toBeGreaterThan(last.lower);
        expect(found.lower).toBeLessThan(0);
        // K more weights are worth log (K + 1) at most.
        expect(found.upper).toBeGreaterThan(gap(0).upper - Math.log(samples + 1));
        last = found;
      }
    }
  });

  it("is nil at the exact reverse for every K", () => {
    const gap = gapWith(exact);
    for (const samples of [1, 2, 10, 1000]) {
      expect(gap(samples).upper).toBeCloseTo(0, 9);
      expect(gap(samples).lower).toBeCloseTo(0, 9);
    }
  });

  it("says what is wrong", () => {
    const gap = gapWith(learned);
    expect(() => gap(-1)).toThrow("must be an integer of at least 0, not -1");
    expect(() => gapWith(() => ({ mean: 8, scale: 1 }))).toThrow("τ(ψ | z) integrates to 0.84");
  });
});
