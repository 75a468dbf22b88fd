import { describe, expect, it } from "vitest";
import { radialFunction } from "../../src/kernels/kernelFunction.js";
import { matern } from "../../src/kernels/matern.js";
import { squaredExponential } from "../../src/kernels/squaredExponential.js";
import { gaussianProcess } from "../../src/models/gaussianProcess.js";
import { sparseGaussianProcess } from "../../src/models/sparseGaussianProcess.js";
import { normalDraws } from "../diagnostics/draws.js";

const smooth = radialFunction(squaredExponential({ lengthScale: 0.7 }));
const rough = radialFunction(matern({ smoothness: 0.5, lengthScale: 0.9 }));
const n = 40;
const inputs = Float64Array.from({ length: n }, (_, i) => (4 * i) / n - 2 + 0.03 * Math.sin(9 * i));
const noise = normalDraws(n, "responses");
const responses = inputs.map((x, i) => Math.sin(3 * x) + 0.3 * noise[i]);
const noiseVariance = 0.09;
const grid = (m: number): Float64Array => Float64Array.from({ length: m }, (_, i) => -2 + (4 * (i + 0.5)) / m);

describe.each([
  ["smooth", smooth],
  ["rough", rough],
] as const)("sparseGaussianProcess, %s", (_, kernel) => {
  const data = { kernel, inputs, responses, noiseVariance };
  const exact = gaussianProcess(data);

  it("is below the exact evidence and rises as points are added to those there are", () => {
    const nested = [0, 20, 10, 30, 5, 15, 25, 35, 39, 2, 12, 22, 32, 7, 17, 27, 37];
    let last = -Infinity;
    for (let m = 1; m <= nested.length; m++) {
      const { bound } = sparseGaussianProcess({ ...data, inducing: nested.slice(0, m).map((i) => inputs[i]) });
      expect(bound).toBeLessThan(exact.logEvidence + 1e-8);
      expect(bound).toBeGreaterThan(last - 1e-7);
      last = bound;
    }
    for (const m of [1, 3, 8]) {
      for (const shift of [-1, 0, 0.4])
        expect(sparseGaussianProcess({ ...data, inducing: grid(m).map((z) => z + shift) }).bound).toBeLessThan(
          exact.logEvidence,
        );
    }
  });

  it("meets it at Z = X, with its posterior", () => {
    const full = sparseGaussianProcess({ ...data, inducing: inputs });
    expect(Math.abs(full.bound - exact.logEvidence)).toBeLessThan(1e-6);
    expect(full.unexplained).toBeLessThan(1e-6);
    const [ours, theirs] = [full.predict([-1.7, 0.2, 3]), exact.predict([-1.7, 0.2, 3])];
    for (let j = 0; j < 3; j++) {
      expect(ours.mean[j]).toBeCloseTo(theirs.mean[j], 5);
      expect(ours.variance[j]).toBeCloseTo(theirs.variance[j], 5);
    }
  });

  it("has an upper bound above the exact evidence, which meets it at Z = X", () => {
    for (const m of [1, 2, 4, 8, 16])
      expect(sparseGaussianProcess({ ...data, inducing: grid(m) }).upperBound).toBeGreaterThan(exact.logEvidence);
    const full = sparseGaussianProcess({ ...data, inducing: inputs });
    expect(Math.abs(full.upperBound - exact.logEvidence)).toBeLessThan(1e-4);
  });

  it("takes its jitter as a share of the kernel's height", () => {
    // k and k/4, y and y/2 in the same ratio are one problem, in other units.
    const quarter = (x: ArrayLike<number>, y: ArrayLike<number>): number => kernel(x, y) / 4;
    const halves = {
      kernel: quarter,
      inputs,
      responses: responses.map((y) => y / 2),
      noiseVariance: noiseVariance / 4,
    };
    const options = { inducing: grid(6), jitter: 0.1 };
    const [one, other] = [
      sparseGaussianProcess({ ...data, ...options }),
      sparseGaussianProcess({ ...halves, ...options }),
    ];
    expect(other.bound).toBeCloseTo(one.bound + n * Math.log(2), 9);
    expect(other.predict([0.3]).variance[0]).toBeCloseTo(one.predict([0.3]).variance[0] / 4, 12);
    expect(one.bound).toBeLessThan(sparseGaussianProcess({ ...data, ...options, jitter: 0 }).bound - 0.01);
  });

  it("leaves unexplained what the prior leaves open once f(Z) is known", () => {
    const inducing = grid(4);
    const sparse = sparseGaussianProcess({ ...data, inducing, jitter: 0 });
    const known = gaussianProcess({ kernel, inputs: inducing, responses: inducing, noiseVariance: 1e-12 });
    const unexplained = known.predict(inputs).variance.reduce((sum, value) => sum + value, 0);
    expect(sparse.unexplained).toBeCloseTo(unexplained, 6);
    expect(sparse.bound).toBeCloseTo(sparse.dtc - unexplained / (2 * noiseVariance), 5);
  });
});

describe("sparseGaussianProcess", () => {
  it("with one inducing point has DTC's value and posterior in closed form", () => {
    const [z, x, y, s] = [0.2, [0, 1], [0.5, -1], 0.2];
    const sparse = sparseGaussianProcess({
      kernel: smooth,
      inputs: x,
      responses: y,
      noiseVariance: s,
      inducing: [z],
      jitter: 0,
    });
    const [p, q] = x.map((value) => smooth([value], [z])); // Q = (p, q)(p, q)ᵀ
    const determinant = (p * p + s) * (q * q + s) - (p * q) ** 2;
    const quadratic = (y[0] ** 2 * (q * q + s) - 2 * y[0] * y[1] * p * q + y[1] ** 2 * (p * p + s)) / determinant;
    const dtc = -quadratic / 2 - Math.log(determinant) / 2 - Math.log(2 * Math.PI);
    expect(sparse.dtc).toBeCloseTo(dtc, 12);
    expect(sparse.bound).toBeCloseTo(dtc - (2 - p * p - q * q) / (2 * s), 12);
    // The upper bound: Q's eigenvalue p² + q² along (p, q), and s + t for s.
    const wide = s + 2 - p * p - q * q;
    const along = (p * y[0] + q * y[1]) ** 2 / (p * p + q * q);
    const inverse = along / (p * p + q * q + wide) + (y[0] ** 2 + y[1] ** 2 - along) / wide;
    expect(sparse.upperBound).toBeCloseTo(-inverse / 2 - Math.log(determinant) / 2 - Math.log(2 * Math.PI), 12);
    const precision = 1 + (p * p + q * q) / s; // of u given y
    const { mean, variance } = sparse.predict([0.9]);
    const k = smooth([0.9], [z]);
    expect(mean[0]).toBeCloseTo((k * (p * y[0] + q * y[1])) / s / precision, 12);
    expect(variance[0]).toBeCloseTo(1 - k * k + (k * k) / precision, 12);
  });

  it("shows that DTC's value is no bound: it exceeds the exact evidence", () => {
    // Responses that are all but zero want less prior variance than K has; few inducing points remove it.
    const data = { kernel: smooth, inputs, responses: inputs.map((_, i) => 0.01 * noise[i]), noiseVariance: 0.01 };
    const { logEvidence } = gaussianProcess(data);
    const sparse = sparseGaussianProcess({ ...data, inducing: [5] });
    expect(sparse.dtc).toBeGreaterThan(logEvidence + 5);
    expect(sparse.bound).toBeLessThan(logEvidence);
  });

  it("refuses what does not fit", () => {
    const data = { kernel: smooth, inputs, responses, noiseVariance };
    expect(() => sparseGaussianProcess({ ...data, inducing: [] })).toThrow("Z needs at least one point");
    expect(() => sparseGaussianProcess({ ...data, inducing: [0], jitter: -1 })).toThrow("jitter must be finite");
    expect(() => sparseGaussianProcess({ ...data, inducing: [0, 0], jitter: 0 })).toThrow(
      "the covariance at the inducing points must be positive definite",
    );
  });
});
