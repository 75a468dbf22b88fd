import { describe, expect, it } from "vitest";
import { logisticSum } from "../../src/models/logisticSum.js";
import { logisticTerms } from "../../src/models/logisticTerms.js";
import { labelled } from "../optimize/finiteSums.js";

const table = labelled(15, 2, 3);
const all = Int32Array.from({ length: 15 }, (_, i) => i);

describe("logisticTerms", () => {
  it("is N times the regression's sum but for its prior, with its Hessian", () => {
    const [terms, sum] = [logisticTerms(table), logisticSum({ rows: table, priorScale: 1e8 })];
    const point = Float64Array.of(0.3, -1, 2);
    const [a, b] = [new Float64Array(3), new Float64Array(3)];
    expect(terms.accumulate(point, all, a)).toBeCloseTo(sum.accumulate(point, all, b), 11);
    a.forEach((g, d) => {
      expect(g).toBeCloseTo(b[d], 11);
    });
    const hessian = new Float64Array(9);
    terms.accumulateHessian(point, all, hessian);
    sum.hessian(point).forEach((value, i) => {
      expect(hessian[i]).toBeCloseTo(15 * value, 11);
    });
    const part = new Float64Array(9);
    for (const i of all) terms.accumulateHessian(point, Int32Array.of(i), part);
    expect(Math.max(...part.map((value, i) => Math.abs(value - hessian[i])))).toBeLessThan(1e-13);
  });

  it("does not overflow far out, and refuses bad rows", () => {
    const terms = logisticTerms({ rows: 1, columns: 2, values: Float64Array.of(1, 1) });
    const gradient = new Float64Array(1);
    expect(terms.accumulate(Float64Array.of(-1e4), Int32Array.of(0), gradient)).toBe(1e4);
    expect(gradient[0]).toBe(-1);
    expect(() => logisticTerms({ rows: 1, columns: 2, values: Float64Array.of(2, 1) })).toThrow("must be 0 or 1");
  });
});
