import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { fullRankGaussian } from "../../src/families/fullRankGaussian.js";
import { antithetic } from "../../src/gradients/antithetic.js";
import { leaveOneOut } from "../../src/gradients/baselines.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { pathDerivative } from "../../src/gradients/pathDerivative.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { taylorControlVariate } from "../../src/gradients/taylorControlVariate.js";
import { densityProblem } from "../../src/models/problem.js";
import { expectClose, read } from "../engine/support.js";
import { logisticCase } from "./logisticCase.js";
import {
  chainCase,
  checked,
  expectCompiled,
  expectUnbiased,
  gaussianCase,
  iwaeGaussianCase,
  phiVariance,
} from "./support.js";

beforeAll(async () => {
  await ready();
});

describe("antithetic", () => {
  it.each([1, 2, 3, 4, 5])(
    "has the ELBO's gradient, exactly so in the mean of a quadratic log p, dimension %i",
    async (size) => {
      const [given, options] = [gaussianCase(size), { bound: elbo, samples: 8, seed: 1 }];
      const report = expectUnbiased(await checked(antithetic(), given, options));
      const single = await checked(reparameterised, given, options);
      report.components.forEach(({ name, variance }, i) => {
        if (!name.startsWith("phi.logScale")) expect(variance, name).toBeLessThan(1e-10);
        // What is even has half the independent draws: twice the variance, but for the odd parts of the pairs that the coupling adds.
        else expect(variance / single.components[i].variance, name).toBeGreaterThan(1);
      });
      expectUnbiased(await checked(antithetic(pathDerivative), given, options));
    },
  );

  it("takes a Taylor control variate, with less variance on what is not quadratic", async () => {
    const options = { bound: elbo, samples: 16, seed: 4, replicates: 500 };
    const pairs = expectUnbiased(await checked(antithetic(), logisticCase(2), options));
    const both = expectUnbiased(await checked(antithetic(taylorControlVariate()), logisticCase(2), options));
    expect(phiVariance(both)).toBeLessThan(phiVariance(pairs));
    expect(antithetic(taylorControlVariate()).standing(iwae).verdict).toBe("refused");
  });

  it("is biased for IWAE, as it says: its pairs are another bound", async () => {
    const given = iwaeGaussianCase(1, 2);
    const options = { bound: iwae, samples: 2, seed: 2, replicates: 4000 };
    expect((await checked(antithetic(), given, options)).verdict).toBe("biased");
    expect(antithetic().standing(iwae).verdict).toBe("biased");
  });

  it("mirrors the draws of a full-rank q in its mean", () => {
    const family = fullRankGaussian({ dimension: 2 });
    const problem = densityProblem({ logDensity: (z) => tf.sum(z, -1), family });
    const phi = family.init(randomKey(1));
    const drawn = problem.sampleAntithetic?.(phi, randomKey(2), 4);
    if (!drawn) throw new Error("no pairs");
    const [first, second] = [tf.slice(drawn.z, 0, 2), tf.slice(drawn.z, 2, 2)];
    expectClose(read(tf.sub(tf.add(first, second), tf.mul(2, phi.mean))), Array(4).fill(0), 1e-6);
    expectClose(read(drawn.logQ), read(problem.logQ(phi, drawn.z, randomKey(3))), 1e-6);
  });

  it("runs compiled as eager and leaves nothing behind", () => {
    expectCompiled(antithetic(pathDerivative), gaussianCase(2), { bound: elbo, samples: 4 });
  });

  it("refuses an odd K, a q that is not symmetric, a problem without pairs and gradients that need independent draws", () => {
    const { problem, theta, phi } = gaussianCase(2);
    const at = { theta, phi, bound: elbo, key: randomKey(1) };
    expect(() => antithetic()({ ...at, problem, samples: 3 })).toThrow("K must be positive and even, not 3");
    const chain = chainCase(2, elbo, 2);
    expect(() => antithetic()({ ...at, ...chain, samples: 2 })).toThrow("this problem does not draw in pairs");
    expect(() => antithetic(scoreFunction({ baseline: leaveOneOut }))).toThrow(
      "antithetic: scoreFunction (leave-one-out) is not known to hold for draws in pairs",
    );
    const skewed = densityProblem({
      logDensity: (z) => tf.sum(z, -1),
      family: { dimension: 2, distribution: () => ({ batchShape: [1], eventShape: [2] }) as never },
    });
    const before = tf.memory().numTensors;
    expect(() => estimateGradient(antithetic(), { ...at, problem: skewed, theta: {}, samples: 2 })).toThrow(
      "not known to be symmetric",
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});
