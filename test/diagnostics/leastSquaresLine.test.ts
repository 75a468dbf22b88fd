import { describe, expect, it } from "vitest";
import { leastSquaresLine } from "../../src/diagnostics/leastSquaresLine.js";
import { estimateMean } from "../../src/diagnostics/moments.js";
import { normalDraws } from "./draws.js";

describe("leastSquaresLine", () => {
  it("is the line of four points by hand", () => {
    // x̄ = 1.5, ȳ = 2, Σ (x − x̄)² = 5, Σ (x − x̄)(y − ȳ) = 4: b = .8, a = .8; residuals .2, −.6, .6, −.2.
    const { slope, intercept } = leastSquaresLine([0, 1, 2, 3], [1, 1, 3, 3]);
    expect(slope.value).toBeCloseTo(0.8, 14);
    expect(intercept).toBeCloseTo(0.8, 14);
    expect(slope.standardError).toBeCloseTo(Math.sqrt(0.8 / (2 * 5)), 14);
    expect(slope.n).toBe(4);
  });

  it("has a standard error that is the spread of slopes over data", () => {
    const x = [0, 0.5, 1, 3, 4, 7];
    const noise = normalDraws(6 * 2000, "lines");
    const lines = Array.from({ length: 2000 }, (_, i) =>
      leastSquaresLine(
        x,
        x.map((at, j) => 2 - 0.7 * at + 0.4 * noise[6 * i + j]),
      ),
    );
    const slopes = estimateMean(lines.map(({ slope }) => slope.value));
    expect(Math.abs(slopes.value + 0.7)).toBeLessThan(4 * slopes.standardError);
    const told = estimateMean(lines.map(({ slope }) => slope.standardError ** 2));
    // A variance from 2000 normals is known to √(2/2000) of itself.
    const spread = slopes.standardError ** 2 * 2000;
    expect(Math.abs(told.value / spread - 1)).toBeLessThan(
      4 * Math.hypot(Math.sqrt(2 / 2000), told.standardError / told.value),
    );
  });

  it("refuses what gives no line", () => {
    expect(() => leastSquaresLine([1, 2], [1, 2])).toThrow("at least three, not 2 and 2.");
    expect(() => leastSquaresLine([1, 2, 3], [1, 2])).toThrow("not 3 and 2.");
    expect(() => leastSquaresLine([1, 1, 1], [1, 2, 3])).toThrow("not all x equal");
    expect(() => leastSquaresLine([1, 2, 3], [1, Number.NaN, 3])).toThrow("must be finite");
  });
});
