import { describe, expect, it } from "vitest";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { normalWishartFamily } from "../../src/families/normalWishartFamily.js";

const family = normalWishartFamily(2);

/**
 * log ∫ |Λ|^((ν−3)/2) exp(−½ tr(S Λ)) dΛ over the positive definite Λ = (a, b; b, c), S = (s, r; r, t), by quadrature: b = √(ac) ρ, and a, c, ρ each on a line.
 */
function logWishart(nu: number, s: number, r: number, t: number): number {
  const [logs, whole] = [trapezoid(-16, 6, 110), trapezoid(-9, 9, 110)];
  let total = 0;
  logs.points.forEach((x, i) => {
    logs.points.forEach((y, j) => {
      const [a, c] = [Math.exp(x), Math.exp(y)];
      whole.points.forEach((u, k) => {
        const rho = Math.tanh(u);
        const logs3 =
          ((nu - 3) / 2) * (x + y + Math.log1p(-rho * rho)) - (s * a + 2 * r * rho * Math.sqrt(a * c) + t * c) / 2;
        const logJacobian = x + y + (x + y) / 2 + Math.log1p(-rho * rho);
        total += Math.exp(logs3 + logJacobian + logs.logWeights[i] + logs.logWeights[j] + whole.logWeights[k]);
      });
    });
  });
  return Math.log(total);
}

describe("normalWishartFamily in the plane", () => {
  it.each([
    [5, 1, 0, 1],
    [4, 1.5, 0.4, 0.8],
    [7.5, 0.6, -0.3, 2],
  ])("has the log-normaliser that quadrature gives: ν = %f", (degrees, s, r, t) => {
    const meanPrecision = 0.7;
    const natural = family.natural({
      mean: Float64Array.of(0.3, -1),
      meanPrecision,
      inverseScale: Float64Array.of(s, r, r, t),
      degrees,
    });
    // μ is integrated out: (2π/β) |Λ|^(−½), what the family's |Λ|^((ν−2)/2) has more than Wishart's.
    const expected = Math.log((2 * Math.PI) / meanPrecision) + logWishart(degrees, s, r, t);
    expect(family.logNormaliser(natural)).toBeCloseTo(expected, 7);
  });

  it("is log 24π for Wishart's part at W = I, ν = 5, in closed form", () => {
    // [∫ a^(3/2) e^(−a/2) da]² ∫ (1 − ρ²) dρ = [2^(5/2) ¾ √π]² · 4/3.
    const natural = family.natural({
      mean: Float64Array.of(0, 0),
      meanPrecision: 2 * Math.PI,
      inverseScale: Float64Array.of(1, 0, 0, 1),
      degrees: 5,
    });
    expect(family.logNormaliser(natural)).toBeCloseTo(Math.log(24 * Math.PI), 13);
  });
});
