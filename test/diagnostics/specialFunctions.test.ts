import { describe, expect, it } from "vitest";
import { digamma, expDigamma, logGamma } from "../../src/diagnostics/specialFunctions.js";
import * as general from "../../src/ops/gammaFunctions.js";

const euler = 0.5772156649015329;
/** x, log Γ(x) and ψ(x) to 17 digits by mpmath. */
const table: readonly (readonly [number, number, number])[] = [
  [0.001953125, 6.237200385175331, -512.5740074804866],
  [0.03125, 3.4484891277979584, -32.526953288606116],
  [0.25, 1.2880225246980774, -4.2274535333762655],
  [1.4375, -0.12120242719902266, -0.023613544005297898],
  [2.5, 0.2846828704729192, 0.7031566406452432],
  [7.75, 8.025458396315983, 1.9817915626943456],
  [8.0, 8.525161361065415, 2.01564147795561],
  [12.125, 17.808317033220973, 2.453465874567355],
  [1000.5, 5908.674175848678, 6.907755320648796],
  [1000000.0, 12815504.569147611, 13.815510057964191],
];
const grid = Array.from({ length: 401 }, (_, i) => 10 ** (-6 + i / 33));

describe("the gamma function's logarithm and derivative", () => {
  it.each(table)("agree with mpmath at %f", (x, logGammaOfX, digammaOfX) => {
    expect(Math.abs(logGamma(x) - logGammaOfX)).toBeLessThan(1e-14 * Math.max(1, Math.abs(logGammaOfX)));
    expect(Math.abs(digamma(x) - digammaOfX)).toBeLessThan(1e-14 * Math.max(1, Math.abs(digammaOfX)));
    // A relative error of exp ψ is an absolute one of ψ.
    const expected = Math.exp(digammaOfX);
    const rounding = 4e-15 * Math.max(1, Math.abs(digammaOfX));
    expect(Math.abs(expDigamma(x) - expected)).toBeLessThanOrEqual(rounding * expected);
  });

  it("agree with the general functions from 1e-6 to 1e6", () => {
    for (const x of grid) {
      const [a, b] = [general.logGamma(x), general.polyGamma(0, x)];
      expect(Math.abs(logGamma(x) - a)).toBeLessThan(3e-14 * Math.max(1, Math.abs(a)));
      expect(Math.abs(digamma(x) - b)).toBeLessThan(3e-14 * Math.max(1, Math.abs(b)));
    }
  });

  it("know ψ(1), Γ(½) and their recurrences", () => {
    expect(digamma(1)).toBeCloseTo(-euler, 14);
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 14);
    for (const x of [0.3, 2.7, 7.9, 8, 31]) {
      expect(digamma(x + 1) - digamma(x)).toBeCloseTo(1 / x, 13);
      expect(logGamma(x + 1) - logGamma(x)).toBeCloseTo(Math.log(x), 12);
      expect(Math.log(expDigamma(x + 1) / expDigamma(x))).toBeCloseTo(1 / x, 13);
    }
    expect(expDigamma(1e-3)).toBe(0);
  });

  it("have their limits at 0, and are NaN below it and for NaN, however far", () => {
    for (const zero of [0, -0])
      expect([logGamma, digamma, expDigamma].map((f) => f(zero))).toEqual([Infinity, -Infinity, 0]);
    for (const x of [-5e-324, -0.5, -3, -1e17, -Infinity, Number.NaN])
      for (const f of [logGamma, digamma, expDigamma]) expect(f(x)).toBeNaN();
    for (const f of [logGamma, digamma, expDigamma]) expect(f(1e-300)).not.toBeNaN();
  });
});
