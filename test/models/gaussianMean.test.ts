import { describe, expect, it } from "vitest";
import { logIntegral, trapezoid } from "../../src/diagnostics/quadrature.js";
import { logDensity } from "../../src/families/exponentialFamily.js";
import { gaussianFamily } from "../../src/families/gaussianFamily.js";
import { rowsOf } from "../../src/models/conjugateModel.js";
import { gaussianMean } from "../../src/models/gaussianMean.js";

const of = (...values: number[]): Float64Array => Float64Array.from(values);
const updated = <G extends { readonly mean: Float64Array }>(prior: G, statistics: G): G =>
  ({ mean: prior.mean.map((value, i) => value + statistics.mean[i]) }) as G;

describe("gaussianMean", () => {
  const model = gaussianMean({ prior: { mean: of(0.3), precision: of(0.4) }, noiseVariance: 0.7 });
  const batch = rowsOf([1.2, -0.4, 2], 1);
  const posterior = updated(model.prior, model.local(model.prior, batch).statistics);

  it("has the evidence and posterior that quadrature gives", () => {
    const rule = trapezoid(-15, 15, 3000);
    const logs = rule.points.map((mu) => {
      let log = logDensity(gaussianFamily(1), model.prior.mean, of(mu));
      for (const x of batch.values) log -= (Math.log(2 * Math.PI * 0.7) + (x - mu) ** 2 / 0.7) / 2;
      return log;
    });
    const evidence = logIntegral(rule, logs);
    const meanOf = rule.points.reduce((sum, mu, i) => sum + mu * Math.exp(logs[i] + rule.logWeights[i] - evidence), 0);
    expect(model.logEvidence(batch)).toBeCloseTo(evidence, 10);
    expect(model.parameters(posterior).mean[0]).toBeCloseTo(meanOf, 10);
    expect(model.parameters(posterior).precision[0]).toBeCloseTo(0.4 + 3 / 0.7, 12);
    expect(model.local(posterior, batch).bound - model.kl(posterior)).toBeCloseTo(evidence, 10);
    expect(model.local(model.prior, batch).bound).toBeLessThan(evidence - 0.1);
  });

  it("foretells a datum by the ratio of evidences, in two dimensions too", () => {
    const plane = gaussianMean({ prior: { mean: of(0.3, -1), precision: of(0.4, 0.1, 0.1, 0.9) }, noiseVariance: 0.7 });
    const values = [1.2, -0.4, 2, 0.1, -0.3, 0.8];
    const [two, three] = [rowsOf(values.slice(0, 4), 2), rowsOf(values, 2)];
    const q = updated(plane.prior, plane.local(plane.prior, two).statistics);
    const [log, far] = plane.logPredictive(q, rowsOf([-0.3, 0.8, 40, 0], 2));
    expect(log).toBeCloseTo(plane.logEvidence(three) - plane.logEvidence(two), 10);
    expect(far).toBeLessThan(log - 100);
    expect(plane.local(q, two).bound - plane.kl(q)).toBeCloseTo(plane.logEvidence(two), 10);
  });

  it("keeps the digits of its bound, KL and evidence where the data lie far from zero", () => {
    // By a common shift of the data and the prior's mean nothing changes; powers of two lose no digits of the data.
    const values = [1.25, -0.5, 2, 0.125];
    const at = (shift: number): [number, number] => {
      const far = gaussianMean({ prior: { mean: of(shift), precision: of(0.5) }, noiseVariance: 2 ** -8 });
      const rows = rowsOf(
        values.map((x) => x + shift),
        1,
      );
      const q = updated(far.prior, far.local(far.prior, rows).statistics);
      return [far.local(q, rows).bound - far.kl(q), far.logEvidence(rows)];
    };
    const near = at(0);
    at(2 ** 20).forEach((value, i) => {
      expect(Math.abs(value - near[i])).toBeLessThan(1e-6);
    });
  });

  it("refuses what does not fit", () => {
    const empty = { ...batch, size: 0 };
    expect(() => model.local(model.prior, empty)).toThrow("needs rows with the 1 columns of its prior, at least one");
    expect(() => model.logPredictive(model.prior, rowsOf([1, 2], 2))).toThrow("not 1 rows of 2.");
    for (const noiseVariance of [0, Infinity, Number.NaN]) {
      expect(() => gaussianMean({ prior: { mean: of(0), precision: of(1) }, noiseVariance })).toThrow(
        `the noise's variance must be positive and finite, not ${noiseVariance}.`,
      );
    }
    expect(() => gaussianMean({ prior: { mean: of(0), precision: of(-1) }, noiseVariance: 1 })).toThrow(
      "Gaussian: the precision",
    );
  });
});
