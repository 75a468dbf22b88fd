import { describe, expect, it } from "vitest";
import { logGamma } from "../../src/diagnostics/specialFunctions.js";
import { randomKey } from "../../src/engine/random.js";
import { cavi } from "../../src/methods/cavi.js";
import { rowsOf } from "../../src/models/conjugateModel.js";
import { approximateCentre, exactMixture } from "../../src/models/exactMixture.js";
import { gaussianMixture } from "../../src/models/gaussianMixture.js";
import { threeClusters } from "../methods/conjugate.js";

const [m0, beta, scale, nu, concentration] = [0.4, 0.7, 1.3, 3, 1.5];
const mixture = (components: number) =>
  gaussianMixture({
    components,
    concentration,
    prior: { mean: Float64Array.of(m0), meanPrecision: beta, inverseScale: Float64Array.of(scale), degrees: nu },
  });

/** log p(x_1, …, x_n) of one component in one dimension, by integrating μ exactly and λ on a grid of log λ. */
function together(x: readonly number[]): { log: number; mean: number; variance: number } {
  const n = x.length;
  const b = beta + n;
  const m = (beta * m0 + x.reduce((s, v) => s + v, 0)) / b;
  const squares = beta * m0 ** 2 + x.reduce((s, v) => s + v * v, 0) - b * m ** 2;
  let [total, inverse] = [0, 0];
  for (let t = -14; t < 8; t += 0.002) {
    const lambda = Math.exp(t);
    const logPrior = (nu / 2 - 1) * t - (scale * lambda) / 2 + (nu / 2) * Math.log(scale / 2) - logGamma(nu / 2);
    const logData = (n / 2) * (t - Math.log(2 * Math.PI)) + Math.log(beta / b) / 2 - (lambda * squares) / 2;
    const weight = 0.002 * Math.exp(logPrior + logData + t);
    total += weight;
    inverse += weight / lambda;
  }
  return { log: Math.log(total), mean: m, variance: inverse / total / b };
}

describe("exactMixture", () => {
  it("is the sum over both ways to put two points into two components, by quadrature", () => {
    const [a, b] = [0.2, 1.7];
    const { logEvidence, ofOneNumbering, centre } = exactMixture(mixture(2), rowsOf([a, b], 1));
    const same = (concentration + 1) / (2 * concentration + 1);
    const [joint, alone, other] = [together([a, b]), together([a]), together([b])];
    const parts = [same * Math.exp(joint.log), (1 - same) * Math.exp(alone.log + other.log)];
    const evidence = parts[0] + parts[1];
    expect(logEvidence).toBeCloseTo(Math.log(evidence), 6);
    expect(ofOneNumbering).toBeCloseTo(Math.log(evidence / 2), 6);
    const shares = parts.map((part) => part / evidence);
    const mean = shares[0] * joint.mean + shares[1] * alone.mean;
    expect(centre.mean[0]).toBeCloseTo(mean, 6);
    const square = shares[0] * (joint.variance + joint.mean ** 2) + shares[1] * (alone.variance + alone.mean ** 2);
    expect(centre.variances[0] / (square - mean ** 2)).toBeCloseTo(1, 3);
  });

  it("does not depend on the order of the points, and is above every ELBO", async () => {
    const model = gaussianMixture({
      components: 3,
      concentration: 1,
      prior: {
        mean: Float64Array.of(0, 0),
        meanPrecision: 0.05,
        inverseScale: Float64Array.of(1, 0, 0, 1),
        degrees: 4,
      },
    });
    const points = threeClusters(5, 9);
    const turned = rowsOf(
      Array.from({ length: 18 }, (_, at) => points.values[(at + 4) % 18]),
      2,
    );
    const exact = exactMixture(model, points);
    expect(exactMixture(model, turned).logEvidence).toBeCloseTo(exact.logEvidence, 9);
    const { bound, global } = await cavi({ model, data: points, start: model.start(randomKey(3), points) });
    expect(bound).toBeLessThan(exact.logEvidence);
    const centre = approximateCentre(model, global, points);
    centre.variances.forEach((variance, d) => {
      expect(variance).toBeLessThan(exact.centre.variances[d]);
    });
  });

  it("has the centre of one component alone under q, by its Student t", () => {
    const points = rowsOf([0.2, 1.7], 1);
    const model = mixture(2);
    const joint = together([0.2, 1.7]);
    // All of both points in component 0.
    const first = { weights: Float64Array.of(1000, 1e-6), components: Float64Array.from(model.prior.components) };
    for (const x of [0.2 - m0, 1.7 - m0])
      [x, -(x * x) / 2, -0.5, 0.5].forEach((t, i) => {
        first.components[i] += t;
      });
    const centre = approximateCentre(model, first, points);
    expect(centre.mean[0]).toBeCloseTo(joint.mean, 6);
    expect(centre.variances[0] / joint.variance).toBeCloseTo(1, 3);
  });

  it("refuses too many assignments and other columns", () => {
    expect(() => exactMixture(mixture(2), rowsOf(new Float64Array(30), 1))).toThrow("more than 262144");
    expect(() => exactMixture(mixture(2), rowsOf(new Float64Array(4), 2))).toThrow("must have 1 columns");
  });
});
