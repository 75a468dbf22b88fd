import { describe, expect, it } from "vitest";
import { allAssignments, enumeratedAssignments } from "../../src/models/enumeratedAssignments.js";

describe("enumeratedAssignments", () => {
  it("enumerates the digits of every code", () => {
    expect([...allAssignments(2, 3)]).toEqual([0, 0, 1, 0, 2, 0, 0, 1, 1, 1, 2, 1, 0, 2, 1, 2, 2, 2]);
  });

  it("reaches log p where the law factorises, and stays below where two things belong together", () => {
    const placesOf = allAssignments(2, 2);
    const [a, b] = [
      [0.2, 0.8],
      [0.7, 0.3],
    ];
    const apart = Float64Array.from({ length: 4 }, (_, code) =>
      Math.log(5 * a[placesOf[2 * code]] * b[placesOf[2 * code + 1]]),
    );
    const exact = enumeratedAssignments("here", apart, placesOf, 2);
    expect(exact.logEvidence).toBeCloseTo(Math.log(5), 13);
    const { shares, trace } = exact.climb(Float64Array.of(0.5, 0.5, 0.5, 0.5));
    expect(trace[trace.length - 1]).toBeCloseTo(Math.log(5), 13);
    [...a, ...b].forEach((p, at) => {
      expect(shares[at]).toBeCloseTo(p, 13);
    });
    // Two bits that agree with probability 0.9: each a fair coin is q's stationary point, E log p + H = ½ log 0.45 + ½ log 0.05 + 2 log 2.
    const bound = enumeratedAssignments("here", Float64Array.of(0.45, 0.05, 0.05, 0.45).map(Math.log), placesOf, 2);
    expect(bound.logEvidence).toBeCloseTo(0, 13);
    const fair = (Math.log(0.45) + Math.log(0.05)) / 2 + 2 * Math.LN2;
    expect(bound.bound(Float64Array.of(0.5, 0.5, 0.5, 0.5))).toBeCloseTo(fair, 13);
    expect(() => bound.bound(Float64Array.of(1))).toThrow("here: φ must have 2 shares for each of 2, not 1 numbers.");
  });
});
