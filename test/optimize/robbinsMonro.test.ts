import { describe, expect, it } from "vitest";
import { robbinsMonro } from "../../src/optimize/robbinsMonro.js";

describe("robbinsMonro", () => {
  it("is (τ + t)^−κ with t from 1, at most 1", () => {
    const rate = robbinsMonro({ kappa: 0.7, tau: 64 });
    expect(rate(0)).toBe(65 ** -0.7);
    expect(rate(99)).toBe(164 ** -0.7);
    expect(robbinsMonro({ kappa: 1, tau: 0 })(0)).toBe(1);
  });

  it("makes a stochastic mean converge: with κ = 1, τ = 0 the iterate is the running mean", () => {
    const rate = robbinsMonro({ kappa: 1, tau: 0 });
    const draws = [3, -1, 4, 1, -5, 9];
    let value = 100;
    draws.forEach((x, t) => {
      value += rate(t) * (x - value);
    });
    expect(value).toBeCloseTo(11 / 6, 14);
  });

  it("refuses what breaks either condition, and says which", () => {
    expect(() => robbinsMonro({ kappa: 0.5, tau: 1 })).toThrow(
      "κ must be in (0.5, 1], not 0.5: at 0.5 or below Σ ρ² diverges",
    );
    expect(() => robbinsMonro({ kappa: 1.01, tau: 1 })).toThrow("above 1 Σ ρ converges");
    expect(() => robbinsMonro({ kappa: Number.NaN, tau: 1 })).toThrow(/not NaN/);
    expect(() => robbinsMonro({ kappa: 0.7, tau: -1 })).toThrow("τ must be finite and ≥ 0, not -1.");
    expect(() => robbinsMonro({ kappa: 0.7, tau: Infinity })).toThrow("not Infinity");
  });
});
