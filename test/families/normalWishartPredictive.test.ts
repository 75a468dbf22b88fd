import { describe, expect, it } from "vitest";
import { addObservation, normalWishartFamily } from "../../src/families/normalWishartFamily.js";
import { normalWishartPredictive } from "../../src/families/normalWishartPredictive.js";

const parameters = {
  mean: Float64Array.of(0.4, -1),
  meanPrecision: 0.3,
  inverseScale: Float64Array.of(1, 0.2, 0.2, 1.5),
  degrees: 2.5,
};

describe("normalWishartPredictive", () => {
  it("is the ratio of normalisers A(η + t(x)) − A(η) − ½ D log 2π", () => {
    const family = normalWishartFamily(2);
    const natural = family.natural(parameters);
    const predictive = normalWishartPredictive(parameters, "here");
    for (const x of [Float64Array.of(0.4, -1), Float64Array.of(3, 2), Float64Array.of(-40, 7)]) {
      const posterior = Float64Array.from(natural);
      addObservation(posterior, 0, 2, x, 0, 1);
      const expected = family.logNormaliser(posterior) - family.logNormaliser(natural) - Math.log(2 * Math.PI);
      expect(predictive(x.map((value, d) => value - parameters.mean[d]))).toBeCloseTo(expected, 10);
    }
  });

  it("says whose inverse scale is not positive definite", () => {
    expect(() => normalWishartPredictive({ ...parameters, inverseScale: Float64Array.of(1, 2, 2, 1) }, "here")).toThrow(
      "here: the inverse scale must be positive definite",
    );
  });
});
