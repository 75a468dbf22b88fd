import { describe, expect, it } from "vitest";
import { radialFunction } from "../../src/kernels/kernelFunction.js";
import { matern } from "../../src/kernels/matern.js";
import { squaredExponential } from "../../src/kernels/squaredExponential.js";
import { greedyInducing } from "../../src/models/greedyInducing.js";
import { sparseGaussianProcess } from "../../src/models/sparseGaussianProcess.js";
import { normalDraws } from "../diagnostics/draws.js";

const inputs = normalDraws(2 * 30, "greedy inputs");
const base = radialFunction(matern({ smoothness: 1.5 }), [0.7, 1.3]);
/** Its height changes with x, so that the first choice is no tie. */
const kernel = (x: ArrayLike<number>, y: ArrayLike<number>): number => (1 + x[0] ** 2) * (1 + y[0] ** 2) * base(x, y);

describe("greedyInducing", () => {
  it("takes at each turn the input that those before explain least, and says what is left", () => {
    const chosen = greedyInducing({ kernel, inputs, dimension: 2, count: 12 });
    expect(new Set(chosen.rows).size).toBe(12);
    const row = (i: number): Float64Array => inputs.subarray(2 * i, 2 * i + 2);
    for (const m of [0, 1, 5, 11]) {
      const known = chosen.inducing.slice(0, 2 * m);
      const left = (x: ArrayLike<number>): number =>
        m === 0
          ? kernel(x, x)
          : sparseGaussianProcess({ kernel, inputs: x, responses: [0], noiseVariance: 1, inducing: known, jitter: 0 })
              .unexplained;
      const open = Array.from({ length: 30 }, (_, i) => left(row(i)));
      expect(open[chosen.rows[m]]).toBeCloseTo(Math.max(...open), 9);
      if (m > 0)
        expect(chosen.unexplained[m - 1]).toBeCloseTo(
          open.reduce((a, b) => a + b),
          8,
        );
    }
    expect(Array.from(chosen.inducing.slice(0, 2))).toEqual(Array.from(row(chosen.rows[0])));
    for (let m = 1; m < 12; m++) expect(chosen.unexplained[m]).toBeLessThan(chosen.unexplained[m - 1]);
    // A choice of more begins with that of fewer.
    expect(greedyInducing({ kernel, inputs, dimension: 2, count: 5 }).rows).toEqual(chosen.rows.slice(0, 5));
  });

  it("stops where nothing is left: at copies of an input, or a kernel of low rank", () => {
    const smooth = radialFunction(squaredExponential());
    expect(greedyInducing({ kernel: smooth, inputs: [0, 1, 0, 1, 0], count: 5 }).rows).toEqual(Int32Array.of(0, 1));
    const line = (x: ArrayLike<number>, y: ArrayLike<number>): number => x[0] * y[0] + x[1] * y[1];
    const two = greedyInducing({ kernel: line, inputs, dimension: 2, count: 9 });
    expect(two.rows).toHaveLength(2);
    expect(two.unexplained[1]).toBeLessThan(1e-10);
  });

  it("refuses what does not fit", () => {
    expect(() => greedyInducing({ kernel, inputs, dimension: 2, count: 31 })).toThrow(
      "from 1 to the 30 inputs, not 31.",
    );
    expect(() => greedyInducing({ kernel, inputs, dimension: 2, count: 0 })).toThrow("from 1 to the 30 inputs, not 0.");
    expect(() => greedyInducing({ kernel, inputs: [1, 2, 3], dimension: 2, count: 1 })).toThrow(
      "of 2 coordinates each",
    );
    expect(() => greedyInducing({ kernel, inputs: [1, Number.NaN], dimension: 2, count: 1 })).toThrow("is NaN");
  });
});
