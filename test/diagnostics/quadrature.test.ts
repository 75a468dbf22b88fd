import { describe, expect, it } from "vitest";
import {
  gaussHermite,
  gaussLegendre,
  logIntegral,
  productRule,
  stretchedTrapezoid,
  trapezoid,
} from "../../src/diagnostics/quadrature.js";

const logNormal = (z: number): number => -0.5 * (z * z + Math.log(2 * Math.PI));

describe("gaussHermite", () => {
  it("has the known three nodes: 0 and ±√3 with weights 2/3 and 1/6", () => {
    const { points, logWeights } = gaussHermite(3);
    expect(points[0]).toBeCloseTo(-Math.sqrt(3), 14);
    expect(points[1]).toBeCloseTo(0, 14);
    expect(Math.exp(logWeights[1])).toBeCloseTo(2 / 3, 14);
    expect(Math.exp(logWeights[2])).toBeCloseTo(1 / 6, 14);
  });

  it.each([1, 2, 5, 20, 64, 300])("integrates moments and the generating function with n = %i", (n) => {
    const { points, logWeights } = gaussHermite(n);
    const expectation = (f: (z: number) => number) =>
      logWeights.reduce((total, w, i) => total + Math.exp(w) * f(points[i]), 0);
    let moment = 1;
    for (let degree = 0; degree <= Math.min(2 * n - 1, 12); degree++) {
      const exact = degree % 2 === 1 ? 0 : moment;
      expect(expectation((z) => z ** degree) / Math.max(1, exact)).toBeCloseTo(exact / Math.max(1, exact), 9);
      if (degree % 2 === 0) moment *= degree + 1;
    }
    if (n >= 20) expect(expectation((z) => Math.cos(2 * z))).toBeCloseTo(Math.exp(-2), 10);
  });

  it("refuses sizes out of range", () => {
    expect(() => gaussHermite(0)).toThrow(/1 to 300/);
    expect(() => gaussHermite(301)).toThrow(RangeError);
  });
});

describe("gaussLegendre", () => {
  it.each([1, 2, 5, 32, 300])("integrates polynomials of degree 2n − 1 and an exponential with n = %i", (n) => {
    const { points, logWeights } = gaussLegendre(-1, 3, n);
    const integral = (f: (x: number) => number) =>
      logWeights.reduce((total, w, i) => total + Math.exp(w) * f(points[i]), 0);
    for (let degree = 0; degree <= Math.min(2 * n - 1, 12); degree++) {
      const exact = (3 ** (degree + 1) - (-1) ** (degree + 1)) / (degree + 1);
      expect(integral((x) => x ** degree) / exact).toBeCloseTo(1, 11);
    }
    if (n >= 5) expect(integral(Math.exp) / (Math.exp(3) - Math.exp(-1))).toBeCloseTo(1, n === 5 ? 6 : 12);
    expect([...points].sort((a, b) => a - b)).toEqual([...points]);
  });

  it("refuses an empty interval and sizes out of range", () => {
    expect(() => gaussLegendre(1, 1, 4)).toThrow(/low < high/);
    expect(() => gaussLegendre(0, 1, 0)).toThrow(/1 to 300/);
  });
});

describe("trapezoid", () => {
  it("is exact for straight lines and spectral for densities", () => {
    const line = trapezoid(1, 3, 4);
    expect(
      logIntegral(
        line,
        line.points.map((x) => Math.log(2 * x)),
      ),
    ).toBeCloseTo(Math.log(8), 13);
    const wide = trapezoid(-9, 9, 40);
    expect(logIntegral(wide, wide.points.map(logNormal))).toBeCloseTo(0, 12);
  });

  it("refuses an empty interval", () => {
    expect(() => trapezoid(1, 1, 5)).toThrow(/low < high/);
    expect(() => trapezoid(0, Infinity, 5)).toThrow(/finite/);
    expect(() => trapezoid(0, 1, 1)).toThrow(/at least 2/);
  });
});

describe("stretchedTrapezoid", () => {
  it("integrates a narrow density near 0 and a wide one, which no even spacing of as many points can", () => {
    const normal = (mean: number, scale: number) => (z: number) => logNormal((z - mean) / scale) - Math.log(scale);
    const rule = stretchedTrapezoid(20, 3, 201);
    const even = trapezoid(-20, 20, 201);
    for (const density of [normal(0.4, 0.07), normal(-2.1, 0.1), normal(1, 3.5)]) {
      expect(logIntegral(rule, rule.points.map(density))).toBeCloseTo(0, 6);
    }
    expect(Math.abs(logIntegral(even, even.points.map(normal(0.4, 0.07))))).toBeGreaterThan(0.1);
    expect(rule.points[100]).toBe(0);
    expect(rule.points[200]).toBeCloseTo(20, 12);
  });

  it("refuses an empty interval", () => {
    expect(() => stretchedTrapezoid(0, 1, 5)).toThrow(/positive/);
    expect(() => stretchedTrapezoid(5, Number.NaN, 5)).toThrow(RangeError);
    expect(() => stretchedTrapezoid(5, 1, 1)).toThrow(/at least 2/);
  });
});

describe("productRule", () => {
  it("gives log p(x) of a linear-Gaussian model with a 2-D latent: x | z ~ N(a·z, σ²)", () => {
    const rule = productRule(gaussHermite(40), gaussHermite(30));
    expect(rule).toMatchObject({ dimension: 2 });
    expect(rule.logWeights.length).toBe(1200);
    const [a, b, sigma, x] = [0.8, -1.1, 0.9, 1.7];
    const logLikelihood = rule.logWeights.map((_, i) => {
      const residual = x - a * rule.points[2 * i] - b * rule.points[2 * i + 1];
      return logNormal(residual / sigma) - Math.log(sigma);
    });
    const variance = a * a + b * b + sigma * sigma;
    expect(logIntegral(rule, logLikelihood)).toBeCloseTo(
      logNormal(x / Math.sqrt(variance)) - Math.log(variance) / 2,
      7,
    );
  });

  it("orders points with the last rule fastest", () => {
    const rule = productRule(trapezoid(0, 1, 2), trapezoid(5, 6, 2), trapezoid(8, 9, 2));
    expect(Array.from(rule.points.subarray(0, 9))).toEqual([0, 5, 8, 0, 5, 9, 0, 6, 8]);
    expect(() => productRule()).toThrow(/at least one rule/);
    expect(() => logIntegral(rule, [0])).toThrow(/1 values for a rule of 8/);
  });
});
