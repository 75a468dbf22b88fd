import { describe, expect, it } from "vitest";
import { studentQuantile } from "../../src/diagnostics/studentQuantile.js";

describe("studentQuantile", () => {
  it("has closed forms for one, two and four degrees of freedom", () => {
    for (const p of [0.01, 0.3, 0.5, 0.8, 0.975]) {
      expect(studentQuantile(p, 1)).toBeCloseTo(Math.tan(Math.PI * (p - 0.5)), 10);
      const alpha = 4 * p * (1 - p);
      expect(studentQuantile(p, 2)).toBeCloseTo((2 * (p - 0.5) * Math.SQRT2) / Math.sqrt(alpha), 10);
      const q = Math.cos(Math.acos(Math.sqrt(alpha)) / 3) / Math.sqrt(alpha);
      expect(studentQuantile(p, 4)).toBeCloseTo(Math.sign(p - 0.5) * 2 * Math.sqrt(q - 1), 6);
    }
  });

  it("has the tabled values", () => {
    expect(studentQuantile(0.95, 3)).toBeCloseTo(2.353363, 6);
    expect(studentQuantile(0.975, 5)).toBeCloseTo(2.570582, 6);
    expect(studentQuantile(0.975, 9)).toBeCloseTo(2.262157, 6);
    expect(studentQuantile(0.995, 30)).toBeCloseTo(2.749996, 6);
  });

  it("tends to the normal quantile", () => {
    expect(studentQuantile(0.95, 100_001)).toBeCloseTo(1.6449, 3);
    expect(studentQuantile(0.05, 100_000)).toBeCloseTo(-1.6449, 3);
  });

  it("refuses what is no probability or no number of degrees", () => {
    for (const p of [0, 1, Number.NaN]) expect(() => studentQuantile(p, 3)).toThrow(/between 0 and 1/);
    for (const degrees of [0, 1.5, -2]) expect(() => studentQuantile(0.9, degrees)).toThrow(/positive integer/);
  });
});
