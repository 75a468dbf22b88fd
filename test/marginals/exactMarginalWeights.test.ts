import { beforeAll, describe, expect, it } from "vitest";
import { estimateBound } from "../../src/bounds/estimateBound.js";
import { exactIwae, exactLogEvidence } from "../../src/bounds/exactImportanceWeighted.js";
import { iwae } from "../../src/bounds/iwae.js";
import { weightDistribution } from "../../src/bounds/weightDistribution.js";
import { sum } from "../../src/diagnostics/moments.js";
import { type Quadrature, trapezoid } from "../../src/diagnostics/quadrature.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor1D, tf } from "../../src/engine/tf.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { exactMarginalGap } from "../../src/marginals/exactMarginalGap.js";
import { exactMarginalWeights } from "../../src/marginals/exactMarginalWeights.js";
import { hierarchicalLatentVariableProblem } from "../../src/marginals/hierarchicalProblem.js";
import { type DiscreteLaw, lawOfSum } from "../../src/marginals/lawOfSum.js";
import { iwhvi, type Marginal, sivi } from "../../src/marginals/marginal.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import type { MlpParameters } from "../../src/models/mlp.js";
import type { NoParameters } from "../../src/models/problem.js";
import { type Auxiliary, logNormal, marginalOf, reverseOf } from "./linearGaussianTruth.js";

// q(z) = N(.5, .9² + .6²) for the conjugate model's posterior N(1, ½) at x = 2.
const q = { slope: 0.9, shift: 0.5, scale: 0.6 };
const x = 2;
const { mean, scale } = marginalOf(q);
const exact = reverseOf(q);
const logJoint = (z: number) => logNormal(z, 0, 1) + logNormal(x, z, 1);
const numeric = (tau: Auxiliary) => ({
  z: trapezoid(mean - 6 * scale, mean + 6 * scale, 29),
  logDensity: (z: number) => logNormal(z, mean, scale),
  psi: () => trapezoid(-9, 9, 121),
  logReverse: (psi: number, z: number) => logNormal(psi, exact(z).mean, exact(z).scale),
  logTau: (psi: number, z: number) => logNormal(psi, tau(z).mean, tau(z).scale),
  logJoint,
});
const prior: Auxiliary = () => ({ mean: 0, scale: 1 });
const learned: Auxiliary = (z) => ({ mean: 0.5 * z, scale: 0.7 });
/** Narrower than the exact one, and ever more so: the ratios have heavy tails. */
const narrow: Auxiliary = (z) => ({ mean: 0.6 * z - 0.3, scale: 0.45 * Math.exp(-0.1 * z) });
const elbo = conjugateGaussian.elbo(x, { mean, scale });
const logP = conjugateGaussian.logEvidence(x);
const ofExactQ = weightDistribution(
  numeric(prior).z,
  ([z]) => Math.exp(logJoint(z)),
  ([z]) => Math.exp(logNormal(z, mean, scale)),
);

describe("exactMarginalWeights", () => {
  it("has the ELBO less the exact gap as the mean of log ŵ, for every K", () => {
    for (const tau of [prior, learned, narrow]) {
      const [weights, gap] = [exactMarginalWeights(numeric(tau)), exactMarginalGap(numeric(tau))];
      for (const samples of [0, 1, 7, 50]) {
        const law = weights(samples);
        expect(sum(law.probabilities)).toBeCloseTo(1, 12);
        expect(Math.abs(exactIwae(law, 1) - (elbo - gap(samples).upper)), `K = ${samples}`).toBeLessThan(5e-5);
      }
    }
  });

  it("has p(x) as the mean of ŵ, for any K, where its tails allow to tell", () => {
    const weights = exactMarginalWeights(numeric(learned));
    for (const samples of [0, 1, 3, 20]) {
      expect(Math.abs(exactLogEvidence(weights(samples)) - logP), `K = ${samples}`).toBeLessThan(3e-5);
    }
  });

  it("is the law of p/q at the exact reverse, whatever K", () => {
    const weights = exactMarginalWeights(numeric(exact));
    for (const samples of [0, 1, 20]) {
      for (const m of [1, 8]) expect(exactIwae(weights(samples), m)).toBeCloseTo(exactIwae(ofExactQ, m), 4);
    }
  });

  it("agrees with the enumeration of a ψ that has two values", () => {
    // ψ = ±1 with probability ½ each, z | ψ ~ N(ψ, .5²); τ(1 | z) = a logistic function that is not the exact one.
    const psi: Quadrature = { points: Float64Array.of(-1, 1), logWeights: Float64Array.of(0, 0), dimension: 1 };
    const logJointOf = (z: number, psi: number) => Math.log(0.5) + logNormal(z, psi, 0.5);
    const density = (z: number) => Math.log(Math.exp(logJointOf(z, -1)) + Math.exp(logJointOf(z, 1)));
    const logTau = (psi: number, z: number) => -Math.log1p(Math.exp(-psi * (1.2 * z + 0.3)));
    const z = trapezoid(-5, 5, 61);
    const weights = exactMarginalWeights({
      z,
      logDensity: density,
      psi: () => psi,
      logReverse: (at, z) => logJointOf(z, at) - density(z),
      logTau,
      logJoint,
    });
    for (const K of [0, 1, 12]) {
      const logWeights: number[] = [];
      const probabilities: number[] = [];
      z.points.forEach((at, i) => {
        const [ratioLow, ratioHigh] = [-1, 1].map((psi) => Math.exp(logJointOf(at, psi) - logTau(psi, at)));
        const high = Math.exp(logTau(1, at));
        for (const own of [-1, 1]) {
          let binomial = (1 - high) ** K; // of n of the K draws being 1
          for (let n = 0; n <= K; n++) {
            const total = (own === 1 ? ratioHigh : ratioLow) + n * ratioHigh + (K - n) * ratioLow;
            logWeights.push(logJoint(at) - Math.log(total / (K + 1)));
            probabilities.push(Math.exp(z.logWeights[i] + logJointOf(at, own)) * binomial);
            binomial *= ((K - n) / (n + 1)) * (high / (1 - high));
          }
        }
      });
      const enumerated = { logWeights: Float64Array.from(logWeights), probabilities: Float64Array.from(probabilities) };
      for (const m of [1, 3, 40]) {
        expect(Math.abs(exactIwae(weights(K), m) - exactIwae(enumerated, m)), `K = ${K}, M = ${m}`).toBeLessThan(3e-5);
      }
    }
  });

  it("says what is wrong", () => {
    expect(() => exactMarginalWeights(numeric(learned))(-1)).toThrow("must be an integer of at least 0, not -1");
    expect(() => exactMarginalWeights(numeric(() => ({ mean: 9, scale: 1 })))).toThrow(
      "exactMarginalWeights: τ(ψ | z) integrates to 0.",
    );
    expect(() => exactMarginalWeights({ ...numeric(learned), logJoint: () => Number.NaN })).toThrow(
      "exactMarginalWeights: log p(x, z) is NaN",
    );
  });
});

describe("the law of a sum", () => {
  const moments = ({ values, probabilities }: DiscreteLaw) => {
    const first = values.reduce((total, value, i) => total + value * probabilities[i], 0);
    return [first, values.reduce((total, value, i) => total + (value - first) ** 2 * probabilities[i], 0)];
  };

  it("keeps the mean and adds as little variance as asked, on a uniform grid", () => {
    const law = { values: Float64Array.of(0, 0.3, 2), probabilities: Float64Array.of(0.2, 0.5, 0.3) };
    const [first, second] = moments(law);
    expect(lawOfSum(law, 1, 1e-6)).toBe(law);
    for (const K of [2, 9, 300]) {
      const [found, variance] = moments(lawOfSum(law, K, 1e-6));
      expect(found).toBeCloseTo(K * first, 8);
      expect(variance - K * second).toBeGreaterThan(-1e-8);
      expect((variance - K * second) / (K * first) ** 2).toBeLessThan(2e-6);
    }
    // Every term at the grid's end: the sum is there too, and does not come around.
    const { values } = lawOfSum({ values: Float64Array.of(1), probabilities: Float64Array.of(1) }, 7, 1e-6);
    expect([Math.min(...values), Math.max(...values)].every((value) => Math.abs(value - 7) < 0.1)).toBe(true);
  });

  it("agrees with the enumeration where values differ by many orders", () => {
    const law = { values: Float64Array.of(0.002, 1, 3e6), probabilities: Float64Array.of(0.6, 0.4 - 1e-6, 1e-6) };
    const K = 6;
    const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
    const offsets = [0.01, 1, 100, 1e6];
    const exact = offsets.map(() => 0);
    for (let i = 0; i <= K; i++) {
      for (let j = 0; i + j <= K; j++) {
        const counts = [i, j, K - i - j];
        const p = counts.reduce((product, n, k) => (product * law.probabilities[k] ** n) / factorial(n), factorial(K));
        const sum = counts.reduce((total, n, k) => total + n * law.values[k], 0);
        offsets.forEach((offset, o) => {
          exact[o] += p * Math.log(offset + sum);
        });
      }
    }
    const { values, probabilities } = lawOfSum(law, K, 1e-6);
    expect(probabilities.reduce((total, p) => total + p, 0)).toBeCloseTo(1, 10);
    const [found] = moments({ values, probabilities });
    expect(found / (K * moments(law)[0])).toBeCloseTo(1, 8);
    offsets.forEach((offset, o) => {
      const mean = values.reduce((total, value, i) => total + probabilities[i] * Math.log(offset + value), 0);
      expect(Math.abs(mean - exact[o]), `offset ${offset}`).toBeLessThan(1e-4);
    });
  });
});

describe("DIWHVI", () => {
  beforeAll(async () => {
    await ready();
  });

  it("never falls, in K or in M, and stays below L_M of the exact q and log p(x): exactly", () => {
    for (const tau of [prior, learned, narrow]) {
      const weights = exactMarginalWeights(numeric(tau));
      const grid = [0, 1, 2, 5, 20].map((samples) => {
        const law = weights(samples);
        return [1, 2, 8, 64].map((m) => exactIwae(law, m));
      });
      const limit = [1, 2, 8, 64].map((m) => exactIwae(ofExactQ, m));
      grid.forEach((row, i) => {
        row.forEach((value, j) => {
          if (j > 0) expect(value).toBeGreaterThan(row[j - 1] + 1e-4);
          expect(value).toBeGreaterThan(i > 0 ? grid[i - 1][j] + 1e-5 : Number.NEGATIVE_INFINITY);
          expect(value).toBeLessThan(limit[j] + 5e-5);
          expect(value).toBeLessThan(logP);
        });
      });
    }
  });

  const family = hierarchicalLinearGaussian({ dimension: 1 });
  const reverse = gaussianReverse({ latent: 1, mixing: 1, hidden: [], fromMixing: false });
  const eta: MlpParameters = {
    layers: [{ weights: tf.tensor2d([[0.5, 0]]), bias: tf.tensor1d([0, Math.log(0.7)]) as Tensor1D }],
  };
  const measured = <Eta extends MlpParameters | NoParameters>(marginal: Marginal<Eta>, tau: Eta, m: number) =>
    estimateBound({
      problem: hierarchicalLatentVariableProblem({
        model: conjugateGaussian,
        family,
        marginal,
        x: tf.tensor2d([[x]]),
        scale: 1,
      }),
      bound: iwae,
      theta: {},
      phi: {
        q: {
          slope: tf.tensor2d([[q.slope]]),
          shift: tf.tensor2d([[q.shift]]),
          logScale: tf.tensor2d([[Math.log(q.scale)]]),
        },
        tau,
      },
      samples: m,
      replicates: Math.ceil(60000 / m),
      key: randomKey(`${marginal.samples} ${m}`),
    });

  it("is on average what the exact law of its weights says, over a grid of K and M", async () => {
    const [ofSivi, ofIwhvi] = [prior, learned].map((tau) => exactMarginalWeights(numeric(tau)));
    for (const samples of [0, 1, 5]) {
      for (const m of [1, 4, 16]) {
        for (const [found, exact] of [
          [await measured(iwhvi({ reverse, samples }), eta, m), exactIwae(ofIwhvi(samples), m)],
          [await measured(sivi({ samples }), {}, m), exactIwae(ofSivi(samples), m)],
        ] as const) {
          expect(Math.abs(found.value - exact) / found.standardError, `K = ${samples}, M = ${m}`).toBeLessThan(4);
          expect(found.standardError).toBeLessThan(0.02);
        }
      }
    }
  }, 60000);
});
