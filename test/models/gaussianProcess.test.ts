import { describe, expect, it } from "vitest";
import { linearFunction, radialFunction } from "../../src/kernels/kernelFunction.js";
import { squaredExponential } from "../../src/kernels/squaredExponential.js";
import { gaussianProcess } from "../../src/models/gaussianProcess.js";
import { normalDraws } from "../diagnostics/draws.js";

const smooth = radialFunction(squaredExponential({ lengthScale: 0.7 }));
const n = 40;
const inputs = Float64Array.from({ length: n }, (_, i) => (4 * i) / n - 2 + 0.03 * Math.sin(9 * i));
const noise = normalDraws(n, "responses");
const responses = inputs.map((x, i) => Math.sin(3 * x) + 0.3 * noise[i]);
const noiseVariance = 0.09;

describe("gaussianProcess", () => {
  it("has the evidence and the posterior of two responses by hand", () => {
    const two = gaussianProcess({ kernel: smooth, inputs: [0, 1], responses: [0.5, -1], noiseVariance: 0.2 });
    const k = Math.exp(-1 / 0.98);
    const determinant = 1.2 ** 2 - k ** 2;
    const solve = (a: number, b: number): [number, number] => [
      (1.2 * a - k * b) / determinant,
      (1.2 * b - k * a) / determinant,
    ];
    const [p, q] = solve(0.5, -1);
    const exact = -(0.5 * p - q) / 2 - Math.log(determinant) / 2 - Math.log(2 * Math.PI);
    expect(two.logEvidence).toBeCloseTo(exact, 12);
    const [left, right] = [smooth([0.3], [0]), smooth([0.3], [1])];
    const { mean, variance } = two.predict([0.3]);
    expect(mean[0]).toBeCloseTo(left * p + right * q, 12);
    const [s, t] = solve(left, right);
    expect(variance[0]).toBeCloseTo(1 - left * s - right * t, 12);
  });

  it("with the linear kernel is Bayesian linear regression", () => {
    const gp = gaussianProcess({
      kernel: linearFunction({ variance: 2, bias: 0.5 }),
      inputs,
      responses,
      noiseVariance,
    });
    // y = w x + c: the posterior precision of (w, c), and its mean.
    let [xx, x1, xy, y1] = [0, 0, 0, 0];
    inputs.forEach((x, i) => {
      xx += x * x;
      x1 += x;
      xy += x * responses[i];
      y1 += responses[i];
    });
    const [a, b, d] = [1 / 2 + xx / noiseVariance, x1 / noiseVariance, 1 / 0.5 + n / noiseVariance];
    const determinant = a * d - b * b;
    const w = (d * xy - b * y1) / noiseVariance / determinant;
    const c = (a * y1 - b * xy) / noiseVariance / determinant;
    const { mean, variance } = gp.predict([1.3, -0.6]);
    [1.3, -0.6].forEach((x, j) => {
      expect(mean[j]).toBeCloseTo(x * w + c, 9);
      expect(variance[j]).toBeCloseTo((x * x * d - 2 * x * b + a) / determinant, 9);
    });
  });

  it("refuses data that do not fit", () => {
    const data = { kernel: smooth, inputs: [0, 1], responses: [0.5, -1], noiseVariance: 0.2 };
    expect(() => gaussianProcess({ ...data, inputs: [1, 2, 3] })).toThrow("not 3 inputs for 2 responses");
    expect(() => gaussianProcess({ ...data, inputs: [], responses: [] })).toThrow("at least one");
    expect(() => gaussianProcess({ ...data, responses: [1, Number.NaN] })).toThrow("response 1 is NaN");
    expect(() => gaussianProcess({ ...data, inputs: [1, Infinity] })).toThrow("coordinate 1 of the points is Infinity");
    expect(() => gaussianProcess({ ...data, noiseVariance: 0 })).toThrow("noiseVariance must be positive and finite");
    expect(() => gaussianProcess(data).predict([])).toThrow("at least one point of 1 coordinates");
  });
});
