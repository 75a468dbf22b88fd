import { describe, expect, it } from "vitest";
import { symmetryTest } from "../../src/diagnostics/symmetryTest.js";
import { uniforms } from "./uniforms.js";

describe("symmetryTest", () => {
  it("has the p-value of all 2ⁿ choices of signs", () => {
    const values = [0.95, 0.9, 0.2, 0.7, 0.6, 0.45, 0.52];
    const excursion = (signs: readonly number[]): number => {
      let [walk, largest] = [0, 0];
      for (const sign of signs) {
        walk += sign;
        largest = Math.max(largest, Math.abs(walk));
      }
      return largest;
    };
    const distances = [...values].sort((a, b) => Math.abs(b - 0.5) - Math.abs(a - 0.5));
    const own = excursion(distances.map((value) => Math.sign(value - 0.5)));
    let atLeast = 0;
    for (let bits = 0; bits < 128; bits++) {
      if (excursion(values.map((_, i) => ((bits >> i) & 1 ? 1 : -1))) >= own) atLeast++;
    }
    const { statistic, pValue } = symmetryTest(values);
    expect(statistic).toBeCloseTo(own / 7, 12);
    expect(pValue).toBeCloseTo(atLeast / 128, 12);
  });

  it("lets pass what is symmetric, however narrow or wide, and not what leans", () => {
    const u = uniforms(500, 3);
    expect(symmetryTest(u).pValue).toBeGreaterThan(0.01);
    expect(symmetryTest(u.map((x) => 0.5 + (x - 0.5) / 10)).pValue).toBeGreaterThan(0.01);
    const high = symmetryTest(u.map((x) => Math.sqrt(x)));
    expect(high.pValue).toBeLessThan(1e-6);
    expect(high.bias.value).toBeGreaterThan(5 * high.bias.standardError);
    expect(symmetryTest(u.map((x) => 1 - Math.sqrt(x))).bias.value).toBeCloseTo(-high.bias.value, 12);
  });

  it("is level: its p-values are at most α with a probability of at most α", () => {
    let rejected = 0;
    for (let seed = 0; seed < 400; seed++) if (symmetryTest(uniforms(60, 1000 + seed)).pValue <= 0.05) rejected++;
    expect(rejected).toBeLessThanOrEqual(20 + 4 * Math.sqrt(19));
    expect(rejected).toBeGreaterThan(2);
  });

  it("takes ties together and leaves out what is exactly ½", () => {
    expect(symmetryTest([0.5, 0.5]).pValue).toBe(1);
    expect(symmetryTest([0.2, 0.8]).statistic).toBe(0);
    expect(symmetryTest([0.8, 0.2, 0.5]).statistic).toBe(0);
  });

  it("refuses what is no share", () => {
    expect(() => symmetryTest([])).toThrow("at least one value");
    expect(() => symmetryTest([0.2, 1.2])).toThrow("value 1 is 1.2, but must be in [0, 1]");
    expect(() => symmetryTest([Number.NaN])).toThrow("value 0 is NaN");
  });
});
