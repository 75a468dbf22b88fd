import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { exactIwae } from "../../src/bounds/exactImportanceWeighted.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { type Key, randomKey } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { gaussianConditional } from "../../src/families/gaussianConditional.js";
import { hierarchical } from "../../src/families/hierarchical.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { standardNormal } from "../../src/families/standardNormal.js";
import { leaveOneOut, noBaseline, vimco } from "../../src/gradients/baselines.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { hierarchicalDensityProblem, initialParameters } from "../../src/marginals/hierarchicalProblem.js";
import { sivi } from "../../src/marginals/marginal.js";
import { bernoulliChain } from "../../src/models/bernoulliChain.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import { latentVariableProblem } from "../../src/models/problem.js";
import { backends, expectClose, read } from "../engine/support.js";
import {
  chainCase,
  checked,
  differences,
  expectCompiled,
  expectUnbiased,
  gaussianCase,
  phiVariance,
  posteriorGaussian,
} from "./support.js";

beforeAll(async () => {
  await ready();
});

const dimensions = [1, 2, 3, 4, 5];

describe("scoreFunction", () => {
  it.each(dimensions)("has the ELBO's gradient in both forms, with and without the −1, dimension %i", async (size) => {
    for (const minusOne of [false, true]) {
      const gradient = scoreFunction({ minusOne });
      expectUnbiased(await checked(gradient, chainCase(size, elbo, 8), { bound: elbo, samples: 8, seed: 1 }));
      expectUnbiased(await checked(gradient, gaussianCase(size), { bound: elbo, samples: 8, seed: 1 }));
    }
  });

  it.each(dimensions)(
    "has IWAE's gradient of discrete latents, and every baseline cuts its variance, dimension %i",
    async (size) => {
      const given = chainCase(size, iwae, 4);
      const variances = [];
      for (const baseline of [noBaseline, leaveOneOut, vimco]) {
        const report = await checked(scoreFunction({ baseline }), given, { bound: iwae, samples: 4, seed: 2 });
        variances.push(expectUnbiased(report).totalVariance);
      }
      expect(variances[1]).toBeLessThan(variances[0] / 3);
      expect(variances[2]).toBeLessThan(variances[0] / 3);
    },
  );

  it("has IWAE's gradient of a continuous latent, from quadrature, scaled to the data set", async () => {
    const scale = 3;
    const [mean, logScale] = [0.2, -0.3];
    const problem = latentVariableProblem({
      model: conjugateGaussian,
      family: meanFieldGaussian({ dimension: 1 }),
      x: tf.tensor2d([[2]]),
      scale,
    });
    const slope = differences(
      ([m, s]) => exactIwae(conjugateGaussian.weightDistribution(2, { mean: m, scale: Math.exp(s) }), 5),
      [mean, logScale],
    );
    const [phi, exact] = [[mean, logScale], slope.map((value) => scale * value)].map(([m, s]) => ({
      mean: tf.tensor2d([[m]]),
      logScale: tf.tensor2d([[s]]),
    }));
    const given = { problem, theta: {}, phi, exact: { theta: {}, phi: exact } };
    for (const baseline of [noBaseline, leaveOneOut, vimco]) {
      expectUnbiased(await checked(scoreFunction({ baseline }), given, { bound: iwae, samples: 5, seed: 3 }));
    }
  });

  it.each([1, 3, 5])(
    "with leave-one-out keeps the ELBO's gradient at a fraction of the variance, dimension %i",
    async (size) => {
      const [given, options] = [chainCase(size, elbo, 8), { bound: elbo, samples: 8, seed: 4 }];
      const naive = await checked(scoreFunction(), given, options);
      const rloo = expectUnbiased(await checked(scoreFunction({ baseline: leaveOneOut }), given, options));
      expect(phiVariance(rloo)).toBeLessThan(phiVariance(naive) / 1.5);
    },
  );

  it("with leave-one-out has no variance where q is the posterior, and without the −1 alone", async () => {
    const given = posteriorGaussian(3);
    const options = { bound: elbo, samples: 4, seed: 5, replicates: 50 };
    const variance = async (minusOne: boolean) =>
      (await checked(scoreFunction({ baseline: leaveOneOut, minusOne }), given, options)).totalVariance;
    expect(await variance(false)).toBeLessThan(1e-10);
    expect(await variance(true)).toBeGreaterThan(0.1);
  });

  it("adds up independent data", () => {
    const at = (logits: number[][], key: Key) => {
      const problem = bernoulliChain({ sites: 2, batchSize: logits.length });
      const theta = { bias: tf.tensor1d([0.3, -0.5]), coupling: tf.tensor1d([0.8, 0.2]) };
      const phi = { logits: tf.tensor2d(logits) };
      return estimateGradient(scoreFunction(), { problem, bound: elbo, theta, phi, samples: 2000, key });
    };
    const single = read(at([[0.5, -1]], randomKey(1)).gradient.phi.logits);
    const both = read(
      at(
        [
          [0.5, -1],
          [0.5, -1],
        ],
        randomKey(2),
      ).gradient.phi.logits,
    );
    expectClose(both, [...single, ...single], 0.1);
  });

  it("refuses what does not combine, with the remedy", () => {
    const { problem, theta, phi } = chainCase(2, elbo, 2);
    const at = { problem, theta, phi, samples: 1, key: randomKey(1) };
    expect(() => scoreFunction({ minusOne: false })({ ...at, bound: iwae })).toThrow(
      "may be left out of the ELBO's gradient alone",
    );
    expect(scoreFunction({ minusOne: false }).standing(iwae).verdict).toBe("refused");
    expect(() => scoreFunction({ baseline: vimco })({ ...at, bound: iwae })).toThrow(
      "VIMCO baseline compares a sample with the others and needs K ≥ 2, not 1",
    );
    expect(() => scoreFunction()({ ...at, samples: 0, bound: iwae })).toThrow("must be a positive integer, not 0");
    const family = hierarchical({
      mixing: standardNormal({ dimension: 1 }),
      conditional: gaussianConditional({ latent: 1, mixing: 1, hidden: [2] }),
    });
    const marginal = sivi({ samples: 2 });
    const joint = hierarchicalDensityProblem({ logDensity: (z) => tf.sum(z, -1), family, marginal });
    const q = initialParameters(family, marginal, randomKey(2));
    const before = tf.memory().numTensors;
    expect(() =>
      estimateGradient(scoreFunction(), {
        problem: joint,
        bound: elbo,
        theta: {},
        phi: q,
        samples: 3,
        key: randomKey(3),
      }),
    ).toThrow("log q of this problem is a marginal's estimate");
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe.each(backends)("scoreFunction and its baselines on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("replays what eager does and leaves nothing behind", () => {
    for (const bound of [elbo, iwae]) {
      for (const baseline of [noBaseline, leaveOneOut, vimco]) {
        expectCompiled(scoreFunction({ baseline }), chainCase(3, elbo, 5), { bound, samples: 5 });
      }
    }
  });

  it("takes off each sample what the others alone say", () => {
    const logs = [
      [0.3, -2, 1.1, 0.4],
      [5, -1, 2, 2.5],
    ];
    const logW = tf.transpose(tf.tensor2d(logs)) as Tensor2D;
    const logMeanExp = (x: number[]) => Math.log(x.reduce((sum, l) => sum + Math.exp(l), 0) / x.length);
    const mean = (x: number[]) => x.reduce((sum, l) => sum + l, 0) / x.length;
    const expected = (without: (others: number[]) => number, of: (x: number[]) => number) =>
      logs[0].flatMap((_, k) => logs.map((datum) => of(datum) - without(datum.filter((_, j) => j !== k))));
    const geometric = (others: number[]) => logMeanExp([...others, mean(others)]);
    expectClose(read(leaveOneOut.signal(iwae, logW)), expected(logMeanExp, logMeanExp), 1e-5);
    expectClose(read(vimco.signal(iwae, logW)), expected(geometric, logMeanExp), 1e-5);
    for (const baseline of [leaveOneOut, vimco]) {
      expectClose(read(baseline.signal(elbo, logW)), expected(mean, mean), 1e-5);
      // The general form has it too.
      expectClose(read(baseline.signal({ ...elbo }, logW)), expected(mean, mean), 1e-5);
    }
  });
});
