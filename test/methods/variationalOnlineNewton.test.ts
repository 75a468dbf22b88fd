import { describe, expect, it } from "vitest";
import { choleskyFactor, choleskyInverse } from "../../src/diagnostics/choleskyFactor.js";
import { gaussHermite, logIntegral, productRule, trapezoid } from "../../src/diagnostics/quadrature.js";
import { foldIn, randomKey } from "../../src/engine/random.js";
import { expectedCurvature } from "../../src/methods/expectedCurvature.js";
import { gaussianNodes } from "../../src/methods/gaussianNodes.js";
import { type VonOptions, type VonResult, variationalOnlineNewton } from "../../src/methods/variationalOnlineNewton.js";
import { type CurvedSum, evaluateSum } from "../../src/models/finiteSum.js";
import { gaussianLogisticSum } from "../../src/models/gaussianLogisticSum.js";
import { logisticTerms } from "../../src/models/logisticTerms.js";
import { robbinsMonro } from "../../src/optimize/robbinsMonro.js";
import { constant } from "../../src/optimize/schedules.js";
import { logEvidence, logJoint, priorScale, table } from "./logisticTruth.js";

const of = (...values: number[]): Float64Array => Float64Array.from(values);
/** `f_i(z) = ½ (z − c_i)ᵀ A_i (z − c_i)`, in the plane. */
const matrices = [of(2, 0.6, 0.6, 1), of(0.5, -0.2, -0.2, 0.7), of(1, 0.9, 0.9, 1.5)];
const centres = [of(1, -1), of(0.3, 2), of(-1, 0.5)];
const bowls: CurvedSum = {
  name: "bowls",
  size: 3,
  dimension: 2,
  accumulate: (z, rows, gradient) => {
    let value = 0;
    for (const i of rows) {
      const [a, c] = [matrices[i], centres[i]];
      const slope = [0, 1].map((d) => a[2 * d] * (z[0] - c[0]) + a[2 * d + 1] * (z[1] - c[1]));
      for (const d of [0, 1]) {
        gradient[d] += slope[d];
        value += (slope[d] * (z[d] - c[d])) / 2;
      }
    }
    return value;
  },
  accumulateHessian: (_, rows, hessian) => {
    for (const i of rows) for (let at = 0; at < 4; at++) hessian[at] += matrices[i][at];
  },
};
const rows = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

const quadrature = { kind: "quadrature", nodes: 24 } as const;
const logistic = { terms: logisticTerms(table), prior: { precision: priorScale ** -2 } };
const start = { mean: of(0.5, -1), precision: 3 };

/** The ELBO of N(m, L Lᵀ), L = [[a, 0], [b, c]], from the joint density as another file states it, with another rule. */
const rule = productRule(gaussHermite(50), gaussHermite(50));
function elboOf([m0, m1, a, b, c]: readonly number[]): number {
  let total = Math.log(a) + Math.log(c) + 1 + Math.log(2 * Math.PI);
  rule.logWeights.forEach((logWeight, q) => {
    const [e0, e1] = [rule.points[2 * q], rule.points[2 * q + 1]];
    total += Math.exp(logWeight) * logJoint(m0 + a * e0, m1 + b * e0 + c * e1);
  });
  return total;
}
const pointOf = ({ mean, precision }: VonResult): number[] => {
  const covariance = choleskyInverse(choleskyFactor(precision, 2, "Λ"), 2);
  const [a, , b, c] = choleskyFactor(covariance, 2, "Σ");
  return [mean[0], mean[1], a, b, c];
};
const slopesAt = (point: readonly number[], which = [0, 1, 2, 3, 4]): number[] =>
  which.map((i) => {
    const h = 1e-4;
    const moved = (by: number): number => elboOf(point.map((x, j) => (j === i ? x + by : x)));
    return (moved(h) - moved(-h)) / (2 * h);
  });

describe("variationalOnlineNewton", () => {
  it.each([
    ["exact", quadrature],
    ["reparameterised", quadrature],
    ["exact", { kind: "draws", pairs: 1, key: randomKey(1) }],
  ] as const)("is exact on a Gaussian in one step with ρ = 1: %s Hessian, %o", async (hessian, expectation) => {
    const prior = { mean: of(0.5, 1), precision: 0.4 };
    const result = await variationalOnlineNewton({
      terms: bowls,
      prior,
      expectation,
      hessian,
      rate: constant(1),
      steps: 1,
      start: { mean: of(-4, 7), precision: 0.2 },
    });
    const precision = [0, 1, 2, 3].map((at) => matrices.reduce((sum, a) => sum + a[at], at % 3 === 0 ? 0.4 : 0));
    precision.forEach((value, at) => {
      expect(result.precision[at]).toBeCloseTo(value, 10);
    });
    for (const d of [0, 1]) {
      const slope = matrices.reduce(
        (sum, a, i) =>
          sum + a[2 * d] * (result.mean[0] - centres[i][0]) + a[2 * d + 1] * (result.mean[1] - centres[i][1]),
        0.4 * (result.mean[d] - prior.mean[d]),
      );
      expect(slope).toBeCloseTo(0, 9);
    }
    const grid = productRule(trapezoid(-9, 9, 181), trapezoid(-9, 9, 181));
    const logs = grid.logWeights.map((_, q) => {
      const z = grid.points.subarray(2 * q, 2 * q + 2);
      const squares = (z[0] - 0.5) ** 2 + (z[1] - 1) ** 2;
      return Math.log(0.4 / (2 * Math.PI)) - 0.2 * squares - bowls.accumulate(z, rows(3), new Float64Array(2));
    });
    expect(result.trace[0].bound).toBeLessThan(logIntegral(grid, logs) - 1);
    if (expectation.kind === "quadrature") {
      expect(result.trace[1].bound).toBeCloseTo(logIntegral(grid, logs), 9);
      expect(result.trace[1].gradientNorm).toBeLessThan(1e-8);
    }
  });

  it("moves natural parameters by the ELBO's slopes in the mean parameters", async () => {
    const rho = 0.3;
    const once = await variationalOnlineNewton({
      ...logistic,
      expectation: quadrature,
      rate: constant(rho),
      steps: 1,
      start,
    });
    // E[log p] by m and by Σ; in mean parameters the slopes are ∂m − 2 ∂Σ m and ∂Σ, and Λ moves by −2 ∂Σ.
    const expected = (m0: number, m1: number, s: readonly number[]): number => {
      const [a, b] = [Math.sqrt(s[0]), s[1] / Math.sqrt(s[0])];
      const c = Math.sqrt(s[2] - b * b);
      return elboOf([m0, m1, a, b, c]) - Math.log(a) - Math.log(c);
    };
    const [m0, m1, s] = [0.5, -1, [1 / 3, 0, 1 / 3]];
    const h = 1e-4;
    const bySigma = [0, 1, 2].map((i) => {
      const at = (by: number): number =>
        expected(
          m0,
          m1,
          s.map((x, j) => (j === i ? x + by : x)),
        );
      return (at(h) - at(-h)) / (2 * h) / (i === 1 ? 2 : 1); // Σ_12 and Σ_21 move together
    });
    const byMean = [
      (expected(m0 + h, m1, s) - expected(m0 - h, m1, s)) / (2 * h),
      (expected(m0, m1 + h, s) - expected(m0, m1 - h, s)) / (2 * h),
    ];
    const [d11, d12, d22] = bySigma;
    const precision = [(1 - rho) * 3 - 2 * rho * d11, -2 * rho * d12, -2 * rho * d12, (1 - rho) * 3 - 2 * rho * d22];
    precision.forEach((value, at) => {
      expect(once.precision[at]).toBeCloseTo(value, 6);
    });
    const linear = [
      (1 - rho) * 3 * m0 + rho * (byMean[0] - 2 * (d11 * m0 + d12 * m1)),
      (1 - rho) * 3 * m1 + rho * (byMean[1] - 2 * (d12 * m0 + d22 * m1)),
    ];
    for (const d of [0, 1]) {
      expect(once.precision[2 * d] * once.mean[0] + once.precision[2 * d + 1] * once.mean[1]).toBeCloseTo(linear[d], 6);
    }
  });

  it.each(["exact", "reparameterised"] as const)(
    "comes to the optimum of the full-rank ELBO: %s Hessian",
    async (hessian) => {
      const result = await variationalOnlineNewton({
        ...logistic,
        expectation: quadrature,
        hessian,
        rate: constant(1),
        steps: 30,
      });
      for (const slope of slopesAt(pointOf(result))) expect(Math.abs(slope)).toBeLessThan(1e-6);
      const { bound, gradientNorm } = result.trace[30];
      expect(bound).toBeCloseTo(elboOf(pointOf(result)), 7);
      expect(bound).toBeLessThan(logEvidence);
      expect(bound).toBeGreaterThan(logEvidence - 0.1);
      expect(gradientNorm).toBeLessThan(1e-8);
      // Linearly: every step leaves about a quarter of what is missing.
      for (let t = 5; t < 15; t++) {
        expect((bound - result.trace[t + 1].bound) / (bound - result.trace[t].bound)).toBeLessThan(0.3);
      }
      expect(result.covariance![0]).toBeCloseTo(result.standardDeviations[0] ** 2, 12);
    },
  );

  it("comes to the optimum of the mean-field ELBO with a diagonal precision", async () => {
    const result = await variationalOnlineNewton({
      ...logistic,
      covariance: "diagonal",
      expectation: quadrature,
      rate: constant(0.7),
      steps: 80,
    });
    const sum = gaussianLogisticSum({ rows: table, priorScale, expectation: { kind: "quadrature", nodes: 40 } });
    const { value, gradient } = await evaluateSum(
      sum,
      of(...result.mean, ...result.precision.map((p) => -Math.log(p) / 2)),
    );
    for (const g of gradient) expect(Math.abs(g)).toBeLessThan(1e-7);
    expect(result.trace[80].bound).toBeCloseTo(-table.rows * value, 7);
    const dense = await variationalOnlineNewton({ ...logistic, expectation: quadrature, rate: constant(1), steps: 30 });
    expect(result.trace[80].bound).toBeLessThan(dense.trace[30].bound);
  });

  it("with Gauss–Newton has the gradient zero in m, and Λ the expected squares of its terms' gradients", async () => {
    const result = await variationalOnlineNewton({
      ...logistic,
      expectation: quadrature,
      hessian: "gaussNewton",
      rate: constant(0.5),
      steps: 80,
    });
    for (const slope of slopesAt(pointOf(result), [0, 1])) expect(Math.abs(slope)).toBeLessThan(1e-6);
    expect(Math.max(...slopesAt(pointOf(result), [2, 4]).map(Math.abs))).toBeGreaterThan(0.1);
    const [m0, m1, a, b, c] = pointOf(result);
    const squares = new Float64Array(4);
    rule.logWeights.forEach((logWeight, q) => {
      const z = of(m0 + a * rule.points[2 * q], m1 + b * rule.points[2 * q] + c * rule.points[2 * q + 1]);
      for (let i = 0; i < table.rows; i++) {
        const g = new Float64Array(2);
        logistic.terms.accumulate(z, Int32Array.of(i), g);
        for (let at = 0; at < 4; at++) squares[at] += Math.exp(logWeight) * g[at >> 1] * g[at & 1];
      }
    });
    squares.forEach((value, at) => {
      expect(result.precision[at]).toBeCloseTo(value + (at % 3 === 0 ? priorScale ** -2 : 0), 6);
    });
  });

  it.each(["exact", "reparameterised"] as const)(
    "has estimates without bias from draws and minibatches: %s",
    (estimate) => {
      const [mean, factor] = [of(0.4, 0.9), of(1.5, 0, -0.4, 1.1)];
      const common = { terms: logistic.terms, mean, factor, estimate } as const;
      const exact = expectedCurvature({
        ...common,
        rows: rows(12),
        nodes: gaussianNodes("here", { kind: "quadrature", nodes: 40 }, 2)(0),
      });
      const nodesAt = gaussianNodes("here", { kind: "draws", pairs: 1, key: randomKey(5) }, 2);
      const n = 3000;
      const draws = Array.from({ length: n }, (_, t) => {
        // One term at a time, in turn: their sum over a pass is the whole.
        const parts = expectedCurvature({ ...common, rows: Int32Array.of(t % 12), nodes: nodesAt(t) });
        return [parts.value, ...parts.gradient, ...parts.hessian].map((x) => 12 * x);
      });
      const passes = Array.from({ length: n / 12 }, (_, p) =>
        draws[0].map((_, i) => draws.slice(12 * p, 12 * p + 12).reduce((sum, row) => sum + row[i], 0) / 12),
      );
      const truth = [exact.value, ...exact.gradient, ...exact.hessian];
      truth.forEach((value, i) => {
        const own = passes.map((row) => row[i]);
        const average = own.reduce((a, b) => a + b) / own.length;
        const variance = own.reduce((sum, x) => sum + (x - average) ** 2, 0) / (own.length - 1);
        expect(variance).toBeGreaterThan(0);
        expect(Math.abs(average - value)).toBeLessThan(4 * Math.sqrt(variance / own.length));
      });
    },
  );

  it("takes the symmetric part of a reparameterised Hessian from draws", () => {
    const [mean, factor] = [of(0.4, 0.9), of(1.5, 0, -0.4, 1.1)];
    const nodes = gaussianNodes("here", { kind: "draws", pairs: 1, key: randomKey(7) }, 2)(0);
    const { hessian } = expectedCurvature({
      terms: logistic.terms,
      rows: rows(12),
      mean,
      factor,
      nodes,
      estimate: "reparameterised",
    });
    let crosses = 0;
    for (const s of [0, 1]) {
      const [e0, e1] = nodes.epsilons.subarray(2 * s, 2 * s + 2);
      const z1 = e1 / 1.1; // Lᵀ (z − m) = ε
      const slope = new Float64Array(2);
      logistic.terms.accumulate(of(mean[0] + (e0 + 0.4 * z1) / 1.5, mean[1] + z1), rows(12), slope);
      crosses += (1.5 * e0 * slope[1] + (1.1 * e1 - 0.4 * e0) * slope[0]) / 4;
    }
    expect(hessian[1]).toBeCloseTo(crosses, 11);
    expect(hessian[2]).toBe(hessian[1]);
  });

  it("comes close from minibatches and a pair of draws, with the same numbers for the same key", async () => {
    const options: VonOptions = {
      ...logistic,
      expectation: { kind: "draws", pairs: 1, key: randomKey(2) },
      rate: robbinsMonro({ kappa: 0.8, tau: 5 }),
      steps: 3000,
      batchSize: 4,
      key: randomKey(3),
    };
    const result = await variationalOnlineNewton(options);
    const best = await variationalOnlineNewton({ ...logistic, expectation: quadrature, rate: constant(1), steps: 30 });
    expect(elboOf(pointOf(best)) - elboOf(pointOf(result))).toBeLessThan(0.02);
    expect(elboOf(pointOf(best)) - elboOf(pointOf(result))).toBeGreaterThan(0);
    expect((await variationalOnlineNewton(options)).mean).toEqual(result.mean);
    const other = await variationalOnlineNewton({ ...options, key: foldIn(randomKey(3), 1), steps: 20 });
    expect(other.mean).not.toEqual((await variationalOnlineNewton({ ...options, steps: 20 })).mean);
  });

  it("refuses a negative expected Hessian, or retracts and still comes to a stationary point of the ELBO", async () => {
    // f(z) = 2 (z² − 1)² + z/2, two wells with a hill between them.
    const wells: CurvedSum = {
      name: "wells",
      size: 1,
      dimension: 1,
      accumulate: ([z], all, gradient) => {
        gradient[0] += all.length * (8 * z * (z * z - 1) + 0.5);
        return all.length * (2 * (z * z - 1) ** 2 + z / 2);
      },
      accumulateHessian: ([z], all, hessian) => {
        hessian[0] += all.length * (24 * z * z - 8);
      },
    };
    const options = {
      terms: wells,
      prior: { precision: 0.1 },
      expectation: { kind: "quadrature", nodes: 40 },
      rate: constant(0.2),
      steps: 320,
      start: { mean: of(0.1), precision: 30 },
    } as const;
    await expect(variationalOnlineNewton({ ...options, rate: constant(1) })).rejects.toThrow(
      /after 1 steps the precision is not positive definite .* take keepPositive: "retract"/,
    );
    await expect(variationalOnlineNewton({ ...options, rate: constant(1), covariance: "diagonal" })).rejects.toThrow(
      /the precision of coordinate 0 is -/,
    );
    for (const covariance of ["full", "diagonal"] as const) {
      const { mean, precision, trace } = await variationalOnlineNewton({
        ...options,
        covariance,
        keepPositive: "retract",
      });
      // E f and the prior's part of the ELBO are polynomials: E z² = m² + v, E z⁴ = m⁴ + 6 m² v + 3 v².
      const elbo = (m: number, v: number): number =>
        -2 * (m ** 4 + 6 * m * m * v + 3 * v * v - 2 * (m * m + v) + 1) -
        m / 2 -
        0.05 * (m * m + v) +
        (Math.log(0.1 * v) + 1) / 2;
      const [m, v] = [mean[0], 1 / precision[0]];
      expect(trace[320].bound).toBeCloseTo(elbo(m, v), 9);
      const h = 1e-5;
      expect((elbo(m + h, v) - elbo(m - h, v)) / (2 * h)).toBeCloseTo(0, 6);
      expect((elbo(m, v + h) - elbo(m, v - h)) / (2 * h)).toBeCloseTo(0, 6);
    }
    const dense = await variationalOnlineNewton({
      ...logistic,
      expectation: quadrature,
      rate: constant(0.5),
      steps: 80,
      keepPositive: "retract",
    });
    for (const slope of slopesAt(pointOf(dense))) expect(Math.abs(slope)).toBeLessThan(1e-6);
  });

  it("retracts by half the square of its step, about the point that it leaves", async () => {
    const [p, rho, mean] = [0.5, 0.8, of(1, -2)];
    const off = [0, 1, 2, 3].map((at) => matrices.reduce((sum, m) => sum - m[at], at % 3 === 0 ? p - 0.4 : 0)); // Λ − G
    const gradient = new Float64Array(2);
    bowls.accumulate(mean, rows(3), gradient);
    for (const covariance of ["full", "diagonal"] as const) {
      const once = await variationalOnlineNewton({
        terms: bowls,
        prior: { precision: 0.4 },
        covariance,
        expectation: quadrature,
        rate: constant(rho),
        steps: 1,
        start: { mean, precision: p },
        keepPositive: "retract",
      });
      const full = covariance === "full";
      const square = (i: number, j: number): number =>
        full ? off[2 * i] * off[j] + off[2 * i + 1] * off[2 + j] : off[3 * i] ** 2;
      once.precision.forEach((value, at) => {
        const [i, j] = full ? [at >> 1, at & 1] : [at, at];
        const expected = (i === j ? p : 0) - rho * off[2 * i + j] + (rho * rho * square(i, j)) / (2 * p);
        expect(value).toBeCloseTo(expected, 10);
      });
      for (const d of [0, 1]) expect(once.mean[d]).toBeCloseTo(mean[d] - (rho * (gradient[d] + 0.4 * mean[d])) / p, 10);
    }
  });

  it("refuses what does not fit", async () => {
    const options: VonOptions = { ...logistic, expectation: quadrature, rate: constant(1), steps: 2 };
    const run = (change: Partial<VonOptions>) => variationalOnlineNewton({ ...options, ...change });
    await expect(run({ steps: 0 })).rejects.toThrow("steps must be a positive integer, not 0.");
    await expect(run({ rate: constant(1.5) })).rejects.toThrow("the rate of step 0 must be in (0, 1], not 1.5.");
    await expect(run({ prior: { precision: 0 } })).rejects.toThrow(
      "the prior's precision must be positive and finite, not 0.",
    );
    await expect(run({ start: { ...start, precision: -1 } })).rejects.toThrow("the start's precision must be positive");
    await expect(run({ start: { mean: of(1), precision: 1 } })).rejects.toThrow(
      "the point must have 2 finite numbers, not 1.",
    );
    await expect(run({ batchSize: 4 })).rejects.toThrow("minibatches are drawn; give a key.");
    await expect(run({ batchSize: 13, key: randomKey(1) })).rejects.toThrow("an integer from 1 to the 12 rows");
    await expect(run({ expectation: { kind: "quadrature", nodes: 300 } })).rejects.toThrow(
      "are 90000 points, more than 65536",
    );
    await expect(run({ expectation: { kind: "draws", pairs: 0, key: randomKey(1) } })).rejects.toThrow(
      "pairs must be a positive",
    );
    const { accumulateHessian: _, ...flat } = logistic.terms;
    await expect(run({ terms: flat })).rejects.toThrow(
      'has no Hessian; give its accumulateHessian, or take hessian: "reparameterised".',
    );
    const broken = { ...logistic.terms, accumulate: () => Number.NaN };
    await expect(run({ terms: broken })).rejects.toThrow("after 0 steps the bound is NaN");
  });
});
