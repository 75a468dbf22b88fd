import { describe, expect, it } from "vitest";
import { overdispersedMoment } from "../../src/diagnostics/overdispersedMoment.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";

const rule = trapezoid(-40, 40, 8001);
const normal = { rule, logQ: (z: number) => (-z * z) / 2, score: (z: number) => z };

describe("overdispersedMoment", () => {
  it("has the closed form of a Gaussian's: A = z, E_q[w z⁴] with a = 0 by symmetry", () => {
    for (const tau of [1, 1.5, 2, 6]) {
      // q²/r = √(2πτ)/(2π) exp(−z²(1 − 1/2τ)): a Gaussian of variance v = τ/(2τ − 1), whose fourth moment is 3v².
      const v = tau / (2 * tau - 1);
      const exact = Math.sqrt(tau * v) * 3 * v * v;
      expect(overdispersedMoment({ ...normal, signal: (z) => z, dispersions: [tau] })).toBeCloseTo(exact, 8);
    }
  });

  it("takes the best constant off, and mixes proposals", () => {
    const of = (offset: number, dispersions: number[]): number =>
      overdispersedMoment({ ...normal, signal: (z) => z + offset, dispersions });
    expect(of(7, [2])).toBeCloseTo(of(0, [2]), 8);
    expect(of(0, [2, 2])).toBeCloseTo(of(0, [2]), 10);
    expect(of(0, [1, 3])).toBeLessThan(of(0, [1]));
  });

  it("raises the base measure of counts to no power", () => {
    const logFactorial = (n: number): number => (n < 2 ? 0 : Math.log(n) + logFactorial(n - 1));
    const counts = { points: Float64Array.from({ length: 80 }, (_, n) => n), logWeights: new Float64Array(80) };
    const [rate, tau] = [5, 2];
    const logQ = (n: number): number => n * Math.log(rate) - rate - logFactorial(n);
    let exact = 0; // r = Poisson(√5), A = n − 5 + constant; the constant that is best is found by the two sums
    const sums = [0, 0, 0];
    for (let n = 0; n < 80; n++) {
      const share = Math.exp(2 * logQ(n) - (n * Math.log(rate ** (1 / tau)) - rate ** (1 / tau) - logFactorial(n)));
      const h2 = share * (n - rate) ** 2;
      sums[0] += h2 * n * n;
      sums[1] += h2 * n;
      sums[2] += h2;
    }
    exact = sums[0] - sums[1] ** 2 / sums[2];
    const given = { rule: counts, logQ, logBase: (n: number) => -logFactorial(n), score: (n: number) => n - rate };
    expect(overdispersedMoment({ ...given, signal: (n) => n, dispersions: [tau] }) / exact).toBeCloseTo(1, 8);
    // Worse than q itself: the law of mean √5 cuts the right tail.
    expect(overdispersedMoment({ ...given, signal: (n) => n, dispersions: [1] })).toBeLessThan(exact);
  });

  it("refuses a τ below 1", () => {
    expect(() => overdispersedMoment({ ...normal, signal: () => 1, dispersions: [0.9] })).toThrow("not [0.9]");
    expect(() => overdispersedMoment({ ...normal, signal: () => 1, dispersions: [] })).toThrow("not []");
  });
});
