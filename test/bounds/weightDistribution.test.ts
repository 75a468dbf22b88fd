import { describe, expect, it } from "vitest";
import { exactChiSquare, exactIwae, exactLogEvidence } from "../../src/bounds/exactImportanceWeighted.js";
import { weightDistribution } from "../../src/bounds/weightDistribution.js";
import { productRule, trapezoid } from "../../src/diagnostics/quadrature.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";

const normal =
  (mean: number, scale: number) =>
  ([z]: readonly number[]): number =>
    Math.exp(-(((z - mean) / scale) ** 2) / 2) / (scale * Math.sqrt(2 * Math.PI));
const joint = (z: readonly number[]): number => normal(0, 1)(z) * normal(z[0], 1)([2]);

describe("weightDistribution", () => {
  it("gives the conjugate Gaussian's evidence and L_k", () => {
    const weights = weightDistribution(trapezoid(-12, 14, 1301), joint, normal(1, 1));
    const reference = conjugateGaussian.weightDistribution(2, { mean: 1, scale: 1 });
    expect(exactLogEvidence(weights)).toBeCloseTo(conjugateGaussian.logEvidence(2), 12);
    expect(exactIwae(weights, 7)).toBeCloseTo(exactIwae(reference, 7), 10);
  });

  it("takes rules of several dimensions", () => {
    // Two independent copies: weights multiply, so the evidence squares and E w² does too.
    const rule = productRule(trapezoid(-11, 13, 121), trapezoid(-11, 13, 121));
    const two = (density: (z: readonly number[]) => number) => (z: readonly number[]) =>
      density([z[0]]) * density([z[1]]);
    const weights = weightDistribution(rule, two(joint), two(normal(1, 1)));
    const one = conjugateGaussian.weightDistribution(2, { mean: 1, scale: 1 });
    expect(exactLogEvidence(weights)).toBeCloseTo(2 * conjugateGaussian.logEvidence(2), 10);
    expect(exactChiSquare(weights)).toBeCloseTo((exactChiSquare(one) + 1) ** 2 - 1, 8);
  });

  it("refuses a rule on which q underflows, or a density that is none", () => {
    expect(() => weightDistribution(trapezoid(-60, 60, 101), joint, normal(0, 1))).toThrow(/narrow the rule/);
    expect(() => weightDistribution(trapezoid(-6, 6, 101), () => Number.NaN, normal(0, 1))).toThrow(/p is NaN/);
  });
});
