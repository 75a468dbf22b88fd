import { describe, expect, it } from "vitest";
import { rowsOf } from "../../src/models/conjugateModel.js";
import { exactMixture } from "../../src/models/exactMixture.js";
import { exactMixtureAssignments } from "../../src/models/exactMixtureAssignments.js";
import { gaussianMixture } from "../../src/models/gaussianMixture.js";
import { threeClusters } from "../methods/conjugate.js";

const model = gaussianMixture({
  components: 3,
  concentration: 0.7,
  prior: { mean: Float64Array.of(0, 0), meanPrecision: 0.05, inverseScale: Float64Array.of(1, 0, 0, 1), degrees: 4 },
});

describe("exactMixtureAssignments", () => {
  it("has the evidence that the enumeration of one numbering has", () => {
    const points = threeClusters(5, 8);
    const exact = exactMixtureAssignments(model, points);
    expect(exact.logEvidence).toBeCloseTo(exactMixture(model, points).logEvidence, 10);
  });

  it("puts points together as Bayes' rule does: two points, by their evidence alone and jointly", () => {
    const [both, first, second] = [
      [0, 0, 1, 0.4],
      [0, 0],
      [1, 0.4],
    ].map((values) => exactMixture(model, rowsOf(values, 2)).logEvidence);
    // One point's evidence does not depend on its component: apart, the two are independent, with probability 2α / (3α + 1).
    const apart = (2 * 0.7) / (3 * 0.7 + 1);
    const { together } = exactMixtureAssignments(model, rowsOf([0, 0, 1, 0.4], 2));
    expect(together[1]).toBeCloseTo(1 - apart * Math.exp(first + second - both), 10);
    expect(together[0]).toBeCloseTo(1, 12);
    expect(together[2]).toBe(together[1]);
  });

  it("refuses too many assignments and other columns", () => {
    expect(() => exactMixtureAssignments(model, threeClusters(5, 12))).toThrow("531441 assignments, more than 262144");
    expect(() => exactMixtureAssignments(model, rowsOf([1, 2, 3], 3))).toThrow("must have 2 columns");
  });
});
