import { describe, expect, it } from "vitest";
import { tabulatedCdf } from "../../src/diagnostics/tabulatedCdf.js";

describe("tabulatedCdf", () => {
  it("is exact for a density that is linear between its points", () => {
    const cdf = tabulatedCdf([0, 1, 3], [0, 2, 0]); // a triangle of area 3
    expect(cdf(0.5)).toBeCloseTo(0.25 / 3, 15);
    expect(cdf(1)).toBeCloseTo(1 / 3, 15);
    expect(cdf(2)).toBeCloseTo((1 + 1.5) / 3, 15);
    expect([cdf(-1), cdf(0), cdf(3), cdf(9)]).toEqual([0, 0, 1, 1]);
  });

  it("has an error of the order of the squared step", () => {
    const error = (n: number): number => {
      const points = Float64Array.from({ length: n }, (_, i) => (Math.PI * i) / (n - 1));
      const cdf = tabulatedCdf(points, points.map(Math.sin));
      return Math.abs(cdf(1) - (1 - Math.cos(1)) / 2);
    };
    expect(error(101)).toBeLessThan(1e-4);
    expect(error(401)).toBeLessThan(error(101) / 8);
  });

  it("says what is wrong with its input", () => {
    expect(() => tabulatedCdf([0], [1])).toThrow(/two or more/);
    expect(() => tabulatedCdf([0, 1], [1])).toThrow(/one density a point/);
    expect(() => tabulatedCdf([0, 0], [1, 1])).toThrow(/ascend/);
    expect(() => tabulatedCdf([0, 1], [1, -1])).toThrow(/−1|-1/);
    expect(() => tabulatedCdf([0, 1], [0, 0])).toThrow(/every point/);
  });
});
