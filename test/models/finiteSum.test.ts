import { describe, expect, it } from "vitest";
import { randomKey } from "../../src/engine/random.js";
import { checkFiniteSum, evaluateSum, type FiniteSum, minibatchVariance } from "../../src/models/finiteSum.js";
import { gaussianLogisticSum } from "../../src/models/gaussianLogisticSum.js";
import { logisticSum } from "../../src/models/logisticSum.js";
import { newton } from "../../src/optimize/newton.js";
import { grid, logJoint, priorScale, table } from "../methods/logisticTruth.js";
import { labelled, parabolas, subsets } from "../optimize/finiteSums.js";

const w = Float64Array.of(0.3, -0.7);
const sum = logisticSum({ rows: table, priorScale });

/** ∇F by central differences. */
async function numericGradient(of: FiniteSum, point: Float64Array): Promise<number[]> {
  const out: number[] = [];
  for (let d = 0; d < point.length; d++) {
    const at = (h: number): Float64Array => point.map((x, e) => (e === d ? x + h : x));
    out.push(((await evaluateSum(of, at(1e-5))).value - (await evaluateSum(of, at(-1e-5))).value) / 2e-5);
  }
  return out;
}

describe("logisticSum", () => {
  it("is −log p(y, w) / N but for the prior's constant", async () => {
    const constant = -2 * Math.log(priorScale) - Math.log(2 * Math.PI);
    const { value, gradient } = await evaluateSum(sum, w);
    expect(value).toBeCloseTo(-(logJoint(w[0], w[1]) - constant) / 12, 12);
    (await numericGradient(sum, w)).forEach((g, d) => {
      expect(gradient[d]).toBeCloseTo(g, 8);
    });
  });

  it("has the Hessian of its gradient, between its μ and L", async () => {
    const hessian = sum.hessian(w);
    for (let e = 0; e < 2; e++) {
      const at = async (h: number) =>
        (
          await evaluateSum(
            sum,
            w.map((x, d) => (d === e ? x + h : x)),
          )
        ).gradient;
      const [up, down] = [await at(1e-5), await at(-1e-5)];
      for (let d = 0; d < 2; d++) expect(hessian[d * 2 + e]).toBeCloseTo((up[d] - down[d]) / 2e-5, 8);
    }
    const [trace, det] = [hessian[0] + hessian[3], hessian[0] * hessian[3] - hessian[1] ** 2];
    const root = Math.sqrt(trace ** 2 / 4 - det);
    expect(trace / 2 - root).toBeGreaterThan(sum.strongConvexity);
    expect(trace / 2 + root).toBeLessThan(sum.smoothness);
  });

  it("stays finite where a margin is huge", async () => {
    const far = await evaluateSum(sum, Float64Array.of(0, -2000));
    expect(Number.isFinite(far.value) && far.gradient.every(Number.isFinite)).toBe(true);
  });

  it("gives Newton's method its minimum, to rounding", async () => {
    const rows = labelled(60, 2, 3);
    const { converged, gradientNorm, point } = await newton({
      sum: logisticSum({ rows, priorScale: 1 }),
      start: new Float64Array(3),
    });
    expect(converged).toBe(true);
    expect(gradientNorm).toBeLessThan(1e-15);
    expect(point.every(Number.isFinite)).toBe(true);
  });

  it("refuses bad rows and scales", () => {
    expect(() => logisticSum({ rows: table, priorScale: 0 })).toThrow("logisticSum: priorScale must be positive");
    const bad = { ...table, values: table.values.map((v, i) => (i === 3 ? 2 : v)) };
    expect(() => logisticSum({ rows: bad, priorScale: 1 })).toThrow("logisticSum: the label of row 1 is 2");
  });
});

describe("gaussianLogisticSum", () => {
  const point = Float64Array.of(0.1, 0.8, -0.4, -0.9);
  const byQuadrature = gaussianLogisticSum({ rows: table, priorScale, expectation: { kind: "quadrature", nodes: 60 } });

  it("is −ELBO / N, by the grid in two dimensions", async () => {
    const [m0, m1, s0, s1] = [0.1, 0.8, Math.exp(-0.4), Math.exp(-0.9)];
    let elbo = 0;
    grid.logWeights.forEach((log, i) => {
      const [a, b] = [grid.points[2 * i], grid.points[2 * i + 1]];
      const logQ = -(((a - m0) / s0) ** 2 + ((b - m1) / s1) ** 2) / 2 - Math.log(2 * Math.PI * s0 * s1);
      if (logQ > -60) elbo += Math.exp(log + logQ) * (logJoint(a, b) - logQ);
    });
    expect(-12 * (await evaluateSum(byQuadrature, point)).value).toBeCloseTo(elbo, 6);
  });

  it("has the gradient of its value, by quadrature and with draws held", async () => {
    const held = gaussianLogisticSum({
      rows: table,
      priorScale,
      expectation: { kind: "held", draws: 3, key: randomKey(1) },
    });
    for (const of of [byQuadrature, held]) {
      const { gradient } = await evaluateSum(of, point);
      (await numericGradient(of, point)).forEach((g, d) => {
        expect(gradient[d]).toBeCloseTo(g, 7);
      });
      expect(() => checkFiniteSum("here", of, point)).not.toThrow();
    }
  });

  it("with a fresh draw is right in the mean and refused as a finite sum", async () => {
    const fresh = gaussianLogisticSum({ rows: table, priorScale, expectation: { kind: "fresh", key: randomKey(2) } });
    expect(() => checkFiniteSum("svrg", fresh, point)).toThrow("svrg: term 0 has two values at one point");
    const exact = (await evaluateSum(byQuadrature, point)).gradient;
    const draws = 4000;
    const all: Float64Array[] = [];
    for (let r = 0; r < draws; r++) all.push((await evaluateSum(fresh, point)).gradient);
    exact.forEach((g, d) => {
      const mean = all.reduce((s, v) => s + v[d], 0) / draws;
      const variance = all.reduce((s, v) => s + (v[d] - mean) ** 2, 0) / (draws - 1);
      expect(Math.abs(mean - g)).toBeLessThan(4 * Math.sqrt(variance / draws) + 1e-12);
    });
  });

  it("refuses no draws", () => {
    const options = { rows: table, priorScale, expectation: { kind: "held", draws: 0, key: randomKey(1) } } as const;
    expect(() => gaussianLogisticSum(options)).toThrow("draws must be a positive integer");
  });
});

describe("minibatchVariance", () => {
  it("is the mean over every minibatch", async () => {
    const few = logisticSum({ rows: labelled(7, 2, 5), priorScale: 1 });
    const point = Float64Array.of(0.4, -0.2, 0.9);
    const exact = (await evaluateSum(few, point)).gradient;
    for (const S of [1, 3, 7]) {
      const batches = subsets(7, S);
      let error = 0;
      for (const rows of batches) {
        const g = new Float64Array(3);
        few.accumulate(point, rows, g);
        error += g.reduce((s, v, d) => s + (v / S - exact[d]) ** 2, 0) / batches.length;
      }
      expect(await minibatchVariance({ sum: few, point, batchSize: S })).toBeCloseTo(error, 12);
    }
    await expect(minibatchVariance({ sum: few, point, batchSize: 8 })).rejects.toThrow("from 1 to the 7 terms, not 8");
  });
});

describe("checkFiniteSum", () => {
  it("refuses what is no sum, and what is not finite", () => {
    const good = parabolas([1, 2, 3], [0, 1, 2]);
    const means: FiniteSum = {
      ...good,
      accumulate: (x, rows, g) => {
        const all = new Float64Array(1);
        const value = good.accumulate(x, rows, all);
        g[0] += all[0] / rows.length;
        return value / rows.length;
      },
    };
    expect(() => checkFiniteSum("svrg", means, Float64Array.of(5))).toThrow("must add sums, not means");
    expect(() => checkFiniteSum("svrg", parabolas([1, Number.NaN], [0, 1]), Float64Array.of(5))).toThrow(
      "svrg: term 1 or its gradient is not finite",
    );
  });
});
