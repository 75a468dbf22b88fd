import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { digamma, logGamma } from "../../src/diagnostics/specialFunctions.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { overdispersedFactors } from "../../src/gradients/overdispersedFactors.js";
import { withFactorDispersions } from "../../src/models/factorDispersions.js";
import { withIndependentSets } from "../../src/models/factorReplacement.js";
import { backends, expectClose, read } from "../engine/support.js";
import {
  countLaw,
  expectation,
  logCountQ,
  logGammaDensity,
  logPoisson,
  logWeightQ,
  type TinyPoint,
  tinyElbo,
  tinyPoissonDef,
  weightLaw,
} from "../models/tinyPoissonDef.js";
import { gaussianFactors } from "./factorCases.js";
import {
  chainCase,
  checked,
  differences,
  expectCompiled,
  expectUnbiased,
  gaussianCase,
  phiVariance,
} from "./support.js";

const at: TinyPoint = [0.7, 0.4, -0.2];

/** The tiny deep exponential family, with the ELBO's gradient by sums and quadrature. */
function countsAndWeights() {
  const [logRate, logConcentration, logMean] = differences((values) => tinyElbo(values as unknown as TinyPoint), at);
  const number = (value: number): Tensor2D => tf.tensor2d([[value]]);
  return {
    problem: tinyPoissonDef().problem,
    theta: {},
    phi: { logRate: number(at[0]), logConcentration: number(at[1]), logMean: number(at[2]) },
    exact: {
      theta: {},
      phi: { logRate: number(logRate), logConcentration: number(logConcentration), logMean: number(logMean) },
    },
    slope: [logRate, logConcentration, logMean],
  };
}

const [shape, rate] = [Math.exp(at[1]), Math.exp(at[1] - at[2])];

/** q/r, h and the blanket's terms less log q, of the count and of the weight. */
const count = {
  weight: (z: number, tau: number): number => Math.exp(logCountQ(z, at) - logPoisson(z, Math.exp(at[0] / tau))),
  scores: (z: number): number[] => [z - Math.exp(at[0])],
  signal: (z: number, w: number): number =>
    z * Math.log(2) - logGamma(z + 1) + 4 * Math.log(0.1 + z * w) - z * w - logCountQ(z, at),
};
const weight = {
  weight: (w: number, tau: number): number =>
    Math.exp(logWeightQ(w, at) - logGammaDensity(w, (shape + tau - 1) / tau, rate / tau)),
  scores: (w: number): number[] => {
    const u = Math.log(w) - at[2];
    return [shape * (at[1] - digamma(shape) + u + 1 - Math.exp(u)), shape * Math.expm1(u)];
  },
  signal: (z: number, w: number): number => Math.log(w) - w + 4 * Math.log(0.1 + z * w) - z * w - logWeightQ(w, at),
};

/** S = E_r[(w f)²] = E_q[w f²] of the count and of the weight, each summed over its coordinates. */
function secondMoments(tau: number): [number, number] {
  const squared = (values: readonly number[]): number => values.reduce((sum, h) => sum + h * h, 0);
  return [
    expectation(at, (z, w) => count.weight(z, tau) * squared(count.scores(z)) * count.signal(z, w) ** 2),
    expectation(at, (z, w) => weight.weight(w, tau) * squared(weight.scores(w)) * weight.signal(z, w) ** 2),
  ];
}

/** C = E_contexts[E[f | context]²], summed over all coordinates. */
function contextMoment(): number {
  const [zs, ws] = [countLaw(at), weightLaw(at)];
  let total = 0;
  for (const { w, p } of ws) {
    const mean = zs.reduce((sum, c) => sum + c.p * count.scores(c.z)[0] * count.signal(c.z, w), 0);
    total += p * mean ** 2;
  }
  for (const { z, p } of zs)
    for (const i of [0, 1]) {
      const mean = ws.reduce((sum, v) => sum + v.p * weight.scores(v.w)[i] * weight.signal(z, v.w), 0);
      total += p * mean ** 2;
    }
  return total;
}

/** The tiny family with dispersions to learn: −½ ∇ of the second moments. */
function learnedCase(taus: readonly [number, number]) {
  const { problem, theta, phi, exact } = countsAndWeights();
  const slope = taus.map((tau, i) => -differences(([t]) => secondMoments(t)[i], [tau])[0] / 2);
  return {
    problem: withFactorDispersions({ problem }),
    theta,
    phi: { q: phi, dispersion: { tau: tf.tensor2d([[...taus]]) } },
    exact: { theta: exact.theta, phi: { q: exact.phi, dispersion: { tau: tf.tensor2d([slope]) } } },
  };
}

describe("overdispersedFactors", () => {
  beforeAll(async () => {
    await ready();
  });

  it("has the ELBO's gradient on a correlated Gaussian, whatever τ, contexts and control variate", async () => {
    const variants = [
      {},
      { dispersions: [1] },
      { dispersions: [2.5], controlVariate: false },
      { dispersions: [1, 4], contexts: 2 },
    ];
    for (const options of variants) {
      const how = { bound: elbo, samples: 8, seed: 1, replicates: 400 };
      expectUnbiased(await checked(overdispersedFactors(options), gaussianFactors(3), how));
    }
  });

  it("has it on counts and weights", async () => {
    for (const options of [{}, { dispersions: [1.6] }, { dispersions: [1, 3], controlVariate: false, contexts: 2 }]) {
      const how = { bound: elbo, samples: 8, seed: 2, replicates: 800 };
      expectUnbiased(await checked(overdispersedFactors(options), countsAndWeights(), how));
    }
  });

  it("has the variance that sums and quadrature give it: (S − C)/K over the draws, (C − |g|²)/M over the contexts", async () => {
    const given = countsAndWeights();
    const square = given.slope.reduce((sum, g) => sum + g * g, 0);
    const between = contextMoment();
    for (const [tau, samples, contexts] of [
      [1, 8, 1],
      [1.6, 8, 1],
      [1.6, 64, 4],
    ]) {
      const [ofCount, ofWeight] = secondMoments(tau);
      const exact = (ofCount + ofWeight - between) / samples + (between - square) / contexts;
      const gradient = overdispersedFactors({ dispersions: [tau], contexts, controlVariate: false });
      const found = phiVariance(await checked(gradient, given, { bound: elbo, samples, seed: 3, replicates: 2000 }));
      expect(Math.abs(found / exact - 1)).toBeLessThan(0.15);
    }
    // The share of the contexts is what no number of draws takes away.
    expect((between - square) / ((secondMoments(1.6)[0] + secondMoments(1.6)[1] - between) / 64)).toBeGreaterThan(1);
  });

  it("takes variance out by its control variate, and by τ = 2 of a Gaussian", async () => {
    const how = { bound: elbo, samples: 8, seed: 4, replicates: 1500 };
    const of = async (options: { dispersions: number[]; controlVariate: boolean }): Promise<number> =>
      phiVariance(await checked(overdispersedFactors(options), gaussianFactors(1), how));
    const plain = await of({ dispersions: [1], controlVariate: false });
    expect(plain / (await of({ dispersions: [1], controlVariate: true }))).toBeGreaterThan(1.3);
    expect(plain / (await of({ dispersions: [2], controlVariate: false }))).toBeGreaterThan(1.5);
  });

  it("moves τ of counts and weights down the gradient of their second moments, and leaves q's gradient what it was", async () => {
    const how = { bound: elbo, samples: 6, seed: 5, replicates: 2500 };
    const gradient = overdispersedFactors({ controlVariate: false });
    for (const taus of [[1.4, 1.7] as const, [1.15, 2.4] as const])
      expectUnbiased(await checked(gradient, learnedCase(taus), how));
  });

  it("keeps fixed proposals beside the moving ones", () => {
    const { problem } = countsAndWeights();
    const mixture = withFactorDispersions({ problem, fixed: [1] });
    expectClose(read(mixture.factorDispersions({ tau: tf.tensor2d([[2, 3]]) })), [1, 1, 2, 3], 1e-6);
  });

  it("refuses other bounds, a τ below 1, a K that its shares do not divide, and what it cannot replace or draw", () => {
    const { theta, phi, problem } = gaussianFactors(2);
    const where = { theta, phi, problem, bound: elbo, samples: 4, key: randomKey(1) };
    expect(() => overdispersedFactors()({ ...where, bound: iwae })).toThrow("no sum over factors");
    expect(() => overdispersedFactors({ dispersions: [0.5] })).toThrow("finite numbers ≥ 1, not [0.5]");
    expect(() => overdispersedFactors({ contexts: 0 })).toThrow("contexts must be a positive integer, not 0");
    expect(() => overdispersedFactors({ contexts: 2 })({ ...where, samples: 6 })).toThrow("a multiple of 4, not 6");
    expect(() => overdispersedFactors({ dispersions: [2] })({ ...where, samples: 1 })).toThrow("needs K ≥ 2");
    expect(() => overdispersedFactors()({ ...where, ...gaussianCase(2) })).toThrow("withIndependentSets");
    const chain = chainCase(2, elbo, 4);
    const replaceable = withIndependentSets({ problem: chain.problem, sets: [[0], [1]] });
    expect(() => overdispersedFactors()({ ...where, ...chain, problem: replaceable })).toThrow("not known to be one");
    expect(() => withFactorDispersions({ problem, fixed: [0.9] })).toThrow("a finite number ≥ 1, not 0.9");
    expect(() => withFactorDispersions({ problem }).factorDispersions({ tau: tf.tensor1d([1]) as never })).toThrow(
      "tau must be [J, D]",
    );
  });
});

describe.each(backends)("overdispersedFactors on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("runs compiled as eager and leaves nothing behind", () => {
    expectCompiled(overdispersedFactors(), gaussianFactors(2), { bound: elbo, samples: 4 });
    expectCompiled(overdispersedFactors(), learnedCase([1.5, 2]), { bound: elbo, samples: 4 });
  });
});
