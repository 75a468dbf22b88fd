import { describe, expect, it } from "vitest";
import { fitGeneralisedPareto, generalisedParetoQuantile } from "../../src/diagnostics/generalisedPareto.js";

describe("generalisedParetoQuantile", () => {
  it.each([-0.4, 0, 1e-9, 0.7])("inverts the distribution function at k = %f", (shape) => {
    for (const u of [0, 0.1, 0.5, 0.999]) {
      const x = generalisedParetoQuantile({ shape, scale: 2 }, u);
      const survival = shape === 0 ? Math.exp(-x / 2) : (1 + (shape * x) / 2) ** (-1 / shape);
      expect(survival).toBeCloseTo(1 - u, 6);
    }
  });
});

describe("fitGeneralisedPareto", () => {
  it.each([
    [0.6, 2],
    [0, 0.5],
    [-0.3, 1e-5],
  ])("finds shape %f and scale %f from the exact quantiles", (shape, scale) => {
    const n = 2000;
    const fit = fitGeneralisedPareto(
      Float64Array.from({ length: n }, (_, j) => generalisedParetoQuantile({ shape, scale }, (j + 0.5) / n)),
    );
    expect(Math.abs((fit.shape * (n + 10) - 5) / n - shape)).toBeLessThan(0.01);
    expect(Math.abs(fit.scale / scale - 1)).toBeLessThan(0.01);
  });

  it("refuses what it cannot fit", () => {
    expect(() => fitGeneralisedPareto([1, 2, 3, 4])).toThrow(/at least five/);
    expect(() => fitGeneralisedPareto([0, 1, 2, 3, 4])).toThrow(/number 0 is 0/);
    expect(() => fitGeneralisedPareto([1, 2, 4, 3, 5])).toThrow(/number 3 is 3/);
  });
});
