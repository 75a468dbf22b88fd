import { describe, expect, it } from "vitest";
import { logIntegral, productRule, trapezoid } from "../../src/diagnostics/quadrature.js";
import { logDensity } from "../../src/families/exponentialFamily.js";
import { normalGammaFamily } from "../../src/families/normalGammaFamily.js";
import { bayesianLinearRegression } from "../../src/models/bayesianLinearRegression.js";

const of = (...values: number[]): Float64Array => Float64Array.from(values);
const prior = { mean: of(0.2), precision: of(0.5), shape: 2, rate: 1.5 };
const batch = { inputs: of(-1, 0.5, 2, 1.5), responses: of(-0.8, 1.1, 1.9, 2.4) };

/** log p(y, w, τ) over a grid of (w, log τ), from the densities themselves. */
function jointOnGrid(): { logEvidence: number; meanOfW: number; meanOfTau: number } {
  const rule = productRule(trapezoid(-20, 22, 1600), trapezoid(-6, 4, 250));
  const family = normalGammaFamily(1);
  const natural = family.natural(prior);
  const logs = rule.logWeights.map((_, i) => {
    const [w, logTau] = [rule.points[2 * i], rule.points[2 * i + 1]];
    const tau = Math.exp(logTau);
    let value = logTau + logDensity(family, natural, { weights: of(w), noisePrecision: tau });
    batch.responses.forEach((y, row) => {
      value += (logTau - Math.log(2 * Math.PI) - tau * (y - w * batch.inputs[row]) ** 2) / 2;
    });
    return value;
  });
  const logEvidence = logIntegral(rule, logs);
  const average = (f: (w: number, logTau: number) => number): number =>
    logs.reduce(
      (total, log, i) =>
        total + Math.exp(log + rule.logWeights[i] - logEvidence) * f(rule.points[2 * i], rule.points[2 * i + 1]),
      0,
    );
  return { logEvidence, meanOfW: average((w) => w), meanOfTau: average((_, logTau) => Math.exp(logTau)) };
}

describe("bayesianLinearRegression", () => {
  const model = bayesianLinearRegression({ prior });
  const exact = jointOnGrid();

  it("has the evidence that quadrature gives", () => {
    expect(model.logEvidence(batch)).toBeCloseTo(exact.logEvidence, 8);
  });

  it("has the posterior that quadrature gives, as the prior plus the statistics", () => {
    const { statistics } = model.local(model.prior, batch);
    const posterior = { weights: statistics.weights.map((value, i) => value + model.prior.weights[i]) };
    const { mean, shape, rate } = model.parameters(posterior);
    expect(mean[0]).toBeCloseTo(exact.meanOfW, 8);
    expect(shape / rate).toBeCloseTo(exact.meanOfTau, 7);
    expect(model.local(posterior, batch).bound - model.kl(posterior)).toBeCloseTo(exact.logEvidence, 8);
    // Any other q is below.
    expect(model.local(model.prior, batch).bound).toBeLessThan(exact.logEvidence - 0.1);
  });

  it("refuses data that do not fit", () => {
    expect(() => model.local(model.prior, { inputs: of(1, 2), responses: of(1) })).toThrow(
      "needs rows of 1 inputs, one for each response and at least one, not 2 inputs for 1 responses.",
    );
    expect(() => model.logEvidence({ inputs: of(), responses: of() })).toThrow(/at least one/);
    expect(() => model.local(model.prior, { inputs: of(Number.NaN), responses: of(1) })).toThrow(
      "an input or a response is not finite",
    );
    expect(() => bayesianLinearRegression({ prior: { ...prior, rate: 0 } })).toThrow("Normal–Gamma: the rate");
  });
});
