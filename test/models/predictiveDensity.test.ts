import { describe, expect, it } from "vitest";
import { radialFunction } from "../../src/kernels/kernelFunction.js";
import { matern } from "../../src/kernels/matern.js";
import { gaussianProcess } from "../../src/models/gaussianProcess.js";
import { predictiveDensity } from "../../src/models/predictiveDensity.js";

const normalDensity = (y: number, m: number, v: number): number =>
  Math.exp(-((y - m) ** 2) / (2 * v)) / Math.sqrt(2 * Math.PI * v);

describe("predictiveDensity", () => {
  it("of an exact process is the ratio of two evidences", () => {
    const data = { kernel: radialFunction(matern({ smoothness: 1.5 })), noiseVariance: 0.3 };
    const gp = gaussianProcess({ ...data, inputs: [0, 0.4, 2], responses: [1, 0.2, -1] });
    for (const [x, y] of [
      [0.9, 0.5],
      [7, -2],
    ]) {
      const more = gaussianProcess({ ...data, inputs: [0, 0.4, 2, x], responses: [1, 0.2, -1, y] });
      const ours = predictiveDensity({ ...gp.predict([x]), noiseVariance: 0.3, responses: [y] });
      expect(ours[0]).toBeCloseTo(more.logEvidence - gp.logEvidence, 12);
    }
  });

  it("of draws is their mixture, response by response", () => {
    const ours = predictiveDensity({
      mean: [0, 5, 1, 4],
      variance: [1, 0, 3, 2],
      noiseVariance: 0.5,
      responses: [2, 5],
    });
    expect(ours[0]).toBeCloseTo(Math.log((normalDensity(2, 0, 1.5) + normalDensity(2, 1, 3.5)) / 2), 13);
    expect(ours[1]).toBeCloseTo(Math.log((normalDensity(5, 5, 0.5) + normalDensity(5, 4, 2.5)) / 2), 13);
    const far = predictiveDensity({ mean: [0], variance: [0], noiseVariance: 1e-4, responses: [10] });
    expect(far[0]).toBeCloseTo(-1e6 / 2 - Math.log(2 * Math.PI * 1e-4) / 2, 3 /* of −500,000: no underflow */);
    expect(far[0]).toBeLessThan(-4e5);
  });

  it("refuses what does not fit", () => {
    const one = { mean: [0], variance: [1], noiseVariance: 1, responses: [0] };
    expect(() => predictiveDensity({ ...one, responses: [] })).toThrow("at least one, not 1 and 1 for 0.");
    expect(() => predictiveDensity({ ...one, responses: [1, 2] })).toThrow("not 1 and 1 for 2.");
    expect(() => predictiveDensity({ ...one, variance: [1, 2] })).toThrow("not 1 and 2 for 1.");
    expect(() => predictiveDensity({ ...one, variance: [-1] })).toThrow("variance 0 is -1; it must be at least 0.");
    expect(() => predictiveDensity({ ...one, noiseVariance: 0 })).toThrow("noiseVariance must be positive");
  });
});
