import { describe, expect, it } from "vitest";
import { logSumExp } from "../../src/diagnostics/logSumExp.js";
import { logGamma } from "../../src/diagnostics/specialFunctions.js";
import { randomKey } from "../../src/engine/random.js";
import { logDensity } from "../../src/families/exponentialFamily.js";
import { addObservation, normalWishartFamily } from "../../src/families/normalWishartFamily.js";
import { cavi } from "../../src/methods/cavi.js";
import { collapsedMixture } from "../../src/methods/collapsedMixture.js";
import { type Rows, rowsOf } from "../../src/models/conjugateModel.js";
import { exactMixture } from "../../src/models/exactMixture.js";
import { exactMixtureAssignments } from "../../src/models/exactMixtureAssignments.js";
import { gaussianMixture } from "../../src/models/gaussianMixture.js";
import { mixtureLogPredictive } from "../../src/models/mixtureLogPredictive.js";
import { threeClusters } from "../methods/conjugate.js";

const prior = {
  mean: Float64Array.of(0, 0.5),
  meanPrecision: 0.3,
  inverseScale: Float64Array.of(1, 0.2, 0.2, 1.5),
  degrees: 4,
};
const concentration = 0.8;
const model = gaussianMixture({ components: 2, concentration, prior });
const points = rowsOf([-2, 0, -2.3, 0.6, -1.6, -0.2, 2.1, 1.4, 1.8, 0.7, 2.6, 1.1, 0.3, 0.2], 2);

/** log p(x) by every assignment of the points to the components, each with its closed form. */
function exactEvidence(batch: Rows, priorOfComponents = prior): number {
  const family = normalWishartFamily(2);
  const natural = family.natural(priorOfComponents);
  const base = family.logNormaliser(natural);
  const logs = Array.from({ length: 2 ** batch.size }, (_, assignment) => {
    const posteriors = [Float64Array.from(natural), Float64Array.from(natural)];
    const counts = [0, 0];
    for (let row = 0; row < batch.size; row++) {
      const k = (assignment >> row) & 1;
      counts[k]++;
      addObservation(posteriors[k], 0, 2, batch.values, 2 * row, 1);
    }
    let value =
      logGamma(2 * concentration) - logGamma(2 * concentration + batch.size) - batch.size * Math.log(2 * Math.PI);
    for (const k of [0, 1]) {
      value += logGamma(concentration + counts[k]) - logGamma(concentration);
      value += family.logNormaliser(posteriors[k]) - base;
    }
    return value;
  });
  return logSumExp(logs);
}

describe("gaussianMixture", () => {
  it("adds to the prior what Bayes' rule does: one point, known component", () => {
    const family = normalWishartFamily(2);
    const natural = family.natural(prior);
    const posterior = Float64Array.from(natural);
    addObservation(posterior, 0, 2, points.values, 0, 1);
    const logLikelihood = (mean: Float64Array, precision: Float64Array): number => {
      const [a, b] = [points.values[0] - mean[0], points.values[1] - mean[1]];
      const quadratic = precision[0] * a * a + 2 * precision[1] * a * b + precision[3] * b * b;
      const determinant = precision[0] * precision[3] - precision[1] ** 2;
      return (Math.log(determinant) - quadratic) / 2 - Math.log(2 * Math.PI);
    };
    // log p(μ, Λ) + log p(x | μ, Λ) − log p(μ, Λ | x) = log p(x) wherever it is taken.
    const evidences = [
      { mean: Float64Array.of(0, 0), precision: Float64Array.of(1, 0, 0, 1) },
      { mean: Float64Array.of(-1, 2), precision: Float64Array.of(3, 0.5, 0.5, 0.4) },
    ].map(
      (at) =>
        logDensity(family, natural, at) + logLikelihood(at.mean, at.precision) - logDensity(family, posterior, at),
    );
    expect(evidences[1]).toBeCloseTo(evidences[0], 11);
    const closed = family.logNormaliser(posterior) - family.logNormaliser(natural) - Math.log(2 * Math.PI);
    expect(evidences[0]).toBeCloseTo(closed, 11);
  });

  it("has an ELBO below the evidence by enumeration, and close to it where the components are far apart", async () => {
    const evidence = exactEvidence(points);
    for (const seed of [1, 2, 3]) {
      const start = model.start(randomKey(seed), points);
      const { trace, bound } = await cavi({ model, data: points, start, tolerance: 1e-12 });
      for (const point of trace) expect(point.bound).toBeLessThan(evidence);
      expect(bound).toBeGreaterThan(evidence - 3);
    }
    // Both labellings of the same posterior: q holds one, so a gap of log 2 stays.
    const far = { ...prior, meanPrecision: 1e-3 };
    const apart = rowsOf([-20, 0, -21, 0.6, -19, -0.2, 20, 1.4, 21, 0.7, 19, 1.1], 2);
    const wide = gaussianMixture({ components: 2, concentration, prior: far });
    const bounds: number[] = [];
    for (const seed of [1, 2, 3, 4]) {
      const start = wide.start(randomKey(seed), apart);
      bounds.push((await cavi({ model: wide, data: apart, start, tolerance: 1e-13 })).bound);
    }
    expect(exactEvidence(apart, far) - Math.max(...bounds)).toBeCloseTo(Math.log(2), 2);
  });

  it("has responsibilities that are probabilities, and weights that count them", () => {
    const global = model.start(randomKey(2), points);
    const shares = model.responsibilities(global, points);
    for (let row = 0; row < points.size; row++) expect(shares[2 * row] + shares[2 * row + 1]).toBeCloseTo(1, 14);
    const { statistics } = model.local(global, points);
    let first = 0;
    for (let row = 0; row < points.size; row++) first += shares[2 * row];
    expect(statistics.weights[0]).toBeCloseTo(first, 12);
    expect(statistics.weights[0] + statistics.weights[1]).toBeCloseTo(points.size, 12);
    const { components, concentration: updated } = model.parameters(global);
    expect(components).toHaveLength(2);
    expect(updated[0] + updated[1]).toBeCloseTo(2 * concentration + points.size, 12);
    expect(components[0].degrees + components[1].degrees).toBeCloseTo(8 + points.size, 12);
  });

  it("has natural parameters of the usual ones, in the points' coordinates: the inverse of parameters", () => {
    for (const offset of [0, 2 ** 17]) {
      const moved = gaussianMixture({
        components: 2,
        concentration,
        prior: { ...prior, mean: prior.mean.map((value) => value + offset) },
      });
      const there = rowsOf(
        points.values.map((value) => value + offset),
        2,
      );
      const global = moved.start(randomKey(3), there);
      const again = moved.natural(moved.parameters(global));
      for (const name of ["weights", "components"] as const) {
        again[name].forEach((value, i) => {
          expect(Math.abs(value - global[name][i])).toBeLessThan(1e-9 * (1 + Math.abs(value)));
        });
      }
      const at = (x: number, y: number) => ({ ...prior, mean: Float64Array.of(x + offset, y + offset), degrees: 6 });
      const known = { concentration: Float64Array.of(3, 4), components: [at(-2, 0), at(2, 1)] };
      const first = moved.natural(known).components;
      expect(first[0]).toBeCloseTo(0.3 * -2, 14);
      expect(first[1]).toBeCloseTo(0.3 * -0.5, 14);
      const shares = moved.responsibilities(moved.natural(known), there);
      for (const row of [0, 1, 2]) expect(shares[2 * row]).toBeGreaterThan(0.9);
      for (const row of [3, 4, 5]) expect(shares[2 * row]).toBeLessThan(0.1);
      expect(moved.natural(moved.parameters(moved.prior))).toEqual(moved.prior);
    }
    const concentrations = Float64Array.of(1, 1);
    expect(() => model.natural({ concentration: concentrations, components: [prior] })).toThrow(
      "gaussianMixture: natural takes the parameters of 2 components, not 1.",
    );
    const short = { ...prior, mean: Float64Array.of(1) };
    expect(() => model.natural({ concentration: concentrations, components: [prior, short] })).toThrow(
      "gaussianMixture: the mean of component 1 must have 2 values, not 1.",
    );
    expect(() => model.natural({ concentration: Float64Array.of(1, -1), components: [prior, prior] })).toThrow(
      "must be positive and finite, but number 1 is -1",
    );
  });

  it("starts from a key", () => {
    expect(model.start(randomKey(4), points)).toEqual(model.start(randomKey(4), points));
    expect(model.start(randomKey(4), points)).not.toEqual(model.start(randomKey(9), points));
  });

  it("has a monotone ELBO and the same fit, moved along, however far from zero prior and points lie", async () => {
    const { values } = threeClusters(3, 120);
    const fitAt = async (offset: number) => {
      const moved = gaussianMixture({
        components: 3,
        concentration: 1,
        prior: {
          mean: Float64Array.of(offset, -offset),
          meanPrecision: 0.05,
          inverseScale: prior.inverseScale,
          degrees: 3,
        },
      });
      const data = rowsOf(
        values.map((value, at) => 3 * value + (at % 2 === 0 ? offset : -offset)),
        2,
      );
      const run = await cavi({ model: moved, data, start: moved.start(randomKey(5), data), tolerance: 1e-12 });
      const { components, concentration: weights } = moved.parameters(run.global);
      const predictive = mixtureLogPredictive(moved, run.global, data);
      const collapsed = await collapsedMixture({ model: moved, data, key: randomKey(5), maxSweeps: 20 });
      const few = rowsOf(data.values.slice(0, 12), 2);
      const exact = exactMixture(moved, few);
      return {
        run,
        components,
        weights,
        predictive,
        collapsed,
        exact,
        assignments: exactMixtureAssignments(moved, few),
        moved,
      };
    };
    const at0 = await fitAt(0);
    for (const offset of [1e4, 1e6]) {
      const far = await fitAt(offset);
      const { trace, bound } = far.run;
      for (let i = 1; i < trace.length; i++)
        expect(trace[i].bound).toBeGreaterThan(trace[i - 1].bound - 1e-12 * Math.abs(bound));
      // Points at 1e6 are rounded to 1e-10, a third of 1e-10 of their spread.
      expect(bound / at0.run.bound).toBeCloseTo(1, 11);
      expect(trace).toHaveLength(at0.run.trace.length);
      for (const [k, component] of far.components.entries()) {
        const same = at0.components[k];
        expect(component.mean[0] - offset).toBeCloseTo(same.mean[0], 8);
        expect(component.mean[1] + offset).toBeCloseTo(same.mean[1], 8);
        component.inverseScale.forEach((value, i) => {
          expect(value / same.inverseScale[i]).toBeCloseTo(1, 6);
        });
        expect(far.weights[k]).toBeCloseTo(at0.weights[k], 7);
      }
      far.predictive.forEach((value, row) => {
        expect(value).toBeCloseTo(at0.predictive[row], 8);
      });
      far.collapsed.responsibilities.forEach((value, at) => {
        expect(value).toBeCloseTo(at0.collapsed.responsibilities[at], 7);
      });
      const centre = (of: typeof far) => of.moved.parameters(of.collapsed.global).components[0].mean[0];
      expect(centre(far) - offset).toBeCloseTo(centre(at0), 7);
      expect(far.exact.logEvidence).toBeCloseTo(at0.exact.logEvidence, 8);
      expect(far.exact.centre.mean[0] - offset).toBeCloseTo(at0.exact.centre.mean[0], 8);
      expect(far.assignments.logEvidence).toBeCloseTo(at0.assignments.logEvidence, 8);
    }
  });

  it("says to centre the data where they lie a million spreads from the prior's mean", () => {
    const { values } = threeClusters(3, 12);
    const data = rowsOf(
      values.map((value) => value + 1e7),
      2,
    );
    const vague = gaussianMixture({ components: 2, concentration, prior: { ...prior, meanPrecision: 1e-14 } });
    const global = vague.start(randomKey(1), data);
    expect(() => vague.local(global, data)).toThrow("centre the data, or put the prior's mean among them");
    const near = rowsOf(
      values.map((value) => value + 1e4),
      2,
    );
    expect(() => vague.local(vague.start(randomKey(1), near), near)).not.toThrow();
    // A prior worth something keeps components as wide as they are far.
    expect(() => model.local(model.start(randomKey(1), data), data)).not.toThrow();
  });

  it("refuses points that do not fit", () => {
    const global = model.start(randomKey(2), points);
    expect(() => model.local(global, rowsOf([1, 2, 3], 3))).toThrow(
      "gaussianMixture needs points with the 2 columns of its prior, at least one, not 1 points of 3.",
    );
    expect(() => model.start(randomKey(1), rowsOf([1, 2], 2))).toThrow(
      "2 components start from as many points, but there are 1.",
    );
    expect(() => rowsOf([1, 2, 3], 2)).toThrow("not 3 values in rows of 2.");
    expect(() => rowsOf([], 2)).toThrow("not 0 values in rows of 2.");
    expect(() => rowsOf([1, 2, Number.NaN, 4], 2)).toThrow("row 1, column 0 is NaN; give finite numbers.");
    expect(() => gaussianMixture({ components: 1, concentration: 1, prior })).toThrow("an integer ≥ 2, not 1.");
    expect(() => gaussianMixture({ components: 2, concentration: 0, prior })).toThrow("must be positive and finite");
    const nowhere = { ...prior, mean: Float64Array.of(0, Number.NaN) };
    expect(() => gaussianMixture({ components: 2, concentration: 1, prior: nowhere })).toThrow(
      "the prior's mean must be finite, but number 1 is NaN",
    );
  });
});
