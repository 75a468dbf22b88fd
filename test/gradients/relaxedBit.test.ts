import { describe, expect, it } from "vitest";
import { relaxedBit } from "../../src/gradients/relaxedBit.js";

const logit = 0.7;
const sigma = (y: number): number => 1 / (1 + Math.exp(-y));
const density = (y: number): number => sigma(y) * sigma(-y);
const slope = (z: number): number => Math.exp(2 * z);
/** f(1) − f(0). */
const change = (Math.exp(2) - 1) / 2;

/** ∫ g(y) dy by midpoints: another rule than that of the function. */
function integral(g: (y: number) => number): number {
  const [steps, end] = [60_000, 45];
  let total = 0;
  for (let i = 0; i < steps; i++) total += g(-end + ((i + 0.5) * 2 * end) / steps);
  return (total * 2 * end) / steps;
}

describe("relaxedBit", () => {
  it("has a bias of order τ and a variance of order 1/τ, with the coefficients that an expansion gives", () => {
    const tilt = density(logit) * (1 - 2 * sigma(logit)); // p′(l)
    const bias = -tilt * integral((y) => y * slope(sigma(y)) * density(y));
    const spread = density(logit) * integral((y) => (slope(sigma(y)) * density(y)) ** 2);
    for (const temperature of [0.02, 0.01, 0.005]) {
      const { mean, variance } = relaxedBit({ slope, logit, temperature });
      expect(Math.abs((mean - density(logit) * change) / temperature / bias - 1)).toBeLessThan(4 * temperature);
      expect(Math.abs(((variance + mean ** 2) * temperature) / spread - 1)).toBeLessThan(4 * temperature);
    }
  });

  it("is the mean over the noise itself, at any temperature, soft and hard", () => {
    for (const temperature of [0.4, 3]) {
      for (const hard of [false, true]) {
        const path = (noise: number): number => {
          const y = (logit + noise) / temperature;
          return (slope(hard ? Number(y > 0) : sigma(y)) * density(y)) / temperature;
        };
        const found = relaxedBit({ slope, logit, temperature, hard });
        const mean = integral((noise) => path(noise) * density(noise));
        const second = integral((noise) => path(noise) ** 2 * density(noise));
        expect(Math.abs(found.mean - mean)).toBeLessThan(2e-3); // midpoints step over the jump of the hard slope
        expect(Math.abs(found.variance - (second - mean ** 2))).toBeLessThan(2e-2);
      }
    }
  });

  it("tends under straight-through to the mean of the slopes at 0 and 1, which is the truth for a quadratic alone", () => {
    const cold = relaxedBit({ slope, logit, temperature: 1e-3, hard: true });
    expect(cold.mean / density(logit)).toBeCloseTo((slope(0) + slope(1)) / 2, 2);
    expect(Math.abs(cold.mean / density(logit) - change)).toBeGreaterThan(0.9);
    const quadratic = relaxedBit({ slope: (z) => 2 * (z - 0.45), logit, temperature: 1e-3, hard: true });
    expect(quadratic.mean / density(logit)).toBeCloseTo(0.1, 3);
  });

  it("refuses a temperature or a logit that it cannot do with", () => {
    expect(() => relaxedBit({ slope, logit, temperature: 0 })).toThrow(
      "relaxedBit: the temperature must be a positive",
    );
    expect(() => relaxedBit({ slope, logit: Number.NaN, temperature: 1 })).toThrow("the logit must be a finite number");
  });
});
