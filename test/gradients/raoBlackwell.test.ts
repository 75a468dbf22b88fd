import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { leaveOneOut } from "../../src/gradients/baselines.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { raoBlackwell } from "../../src/gradients/raoBlackwell.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { withFactors } from "../../src/models/factorisedProblem.js";
import { exp } from "../../src/ops/exp.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { expectClose, read } from "../engine/support.js";
import { chainCase, checked, expectCompiled, expectUnbiased, gaussianCase, phiVariance } from "./support.js";

beforeAll(async () => {
  await ready();
});

describe("raoBlackwell", () => {
  it.each([1, 2, 3, 4, 5])(
    "has the ELBO's gradient, with less variance than the naive one, dimension %i",
    async (size) => {
      const given = chainCase(size, elbo, 4);
      const options = { bound: elbo, samples: 4, seed: 1 };
      const naive = await checked(scoreFunction(), given, options);
      const blackwell = expectUnbiased(await checked(raoBlackwell(), given, options));
      if (size > 1) expect(phiVariance(blackwell)).toBeLessThan(phiVariance(naive));
      const both = expectUnbiased(await checked(raoBlackwell({ baseline: leaveOneOut }), given, options));
      if (size > 1) expect(phiVariance(both)).toBeLessThan(phiVariance(blackwell));
      expectUnbiased(await checked(raoBlackwell({ minusOne: true }), given, options));
    },
  );

  it("has it for continuous latents", async () => {
    const { problem, ...rest } = gaussianCase(3);
    const declared = withFactors({
      problem,
      factors: ({ shift }, { mean, logScale }, z) => {
        // Centre and coupling as in gaussianCase; a term of two neighbours stands under both.
        const centre = tf.tensor1d([0, 1, 2].map((d) => 0.5 * Math.cos(d)));
        const own = tf.mul(-0.5, tf.square(tf.sub(tf.sub(z, centre), shift)));
        const padded = tf.pad(z, [
          [0, 0],
          [0, 0],
          [1, 1],
        ]);
        const neighbours = tf.add(tf.slice(padded, [0, 0, 0], [-1, -1, 3]), tf.slice(padded, [0, 0, 2], [-1, -1, 3]));
        return {
          logP: tf.add(own, tf.mul(0.3, tf.mul(z, neighbours))) as typeof z,
          logQ: normalLogDensity(z, mean, exp(logScale)) as typeof z,
        };
      },
    });
    const options = { bound: elbo, samples: 8, seed: 2 };
    const naive = await checked(scoreFunction(), { problem, ...rest }, options);
    const report = expectUnbiased(await checked(raoBlackwell(), { problem: declared, ...rest }, options));
    expect(phiVariance(report)).toBeLessThan(phiVariance(naive));
  });

  it("has a variance per component that does not grow with the number of factors; the naive one's does", async () => {
    const perComponent = async (gradient: typeof scoreFunction, sites: number) =>
      phiVariance(
        await checked(gradient(), chainCase(sites, elbo, 2), { bound: elbo, samples: 2, seed: 3, replicates: 800 }),
      ) / sites;
    const [few, many] = [await perComponent(raoBlackwell, 5), await perComponent(raoBlackwell, 40)];
    expect(many / few).toBeLessThan(1.3);
    const [naiveFew, naiveMany] = [await perComponent(scoreFunction, 5), await perComponent(scoreFunction, 40)];
    expect(naiveMany / naiveFew).toBeGreaterThan(8);
  });

  it("declares factors that sum to log q and blankets that hold every term of a latent", () => {
    const { problem, theta, phi } = chainCase(4, elbo, 2);
    const z = problem.sample(phi, randomKey(4), 3);
    const { logP, logQ } = problem.factors(theta, phi, z);
    expectClose(read(tf.sum(logQ, -1)), read(problem.logQ(phi, z, randomKey(5))), 1e-6);
    for (let n = 0; n < 4; n++) {
      const site = tf.oneHot(tf.tensor1d([n], "int32"), 4);
      const flipped = tf.abs(tf.sub(z, site)) as typeof z;
      const change = tf.sub(problem.logP(theta, flipped), problem.logP(theta, z));
      const own = tf.sub(problem.factors(theta, phi, flipped).logP, logP);
      expectClose(read(tf.sum(tf.mul(own, site), -1)), read(change), 1e-6);
    }
  });

  it("runs compiled as eager and leaves nothing behind", () => {
    for (const baseline of [undefined, leaveOneOut]) {
      expectCompiled(raoBlackwell({ baseline }), chainCase(3, elbo, 4), { bound: elbo, samples: 4 });
    }
  });

  it("refuses another bound, a problem without factors, and factors of the wrong shape", () => {
    const { problem, theta, phi } = chainCase(2, elbo, 2);
    const at = { theta, phi, samples: 2, key: randomKey(1) };
    expect(() => raoBlackwell()({ ...at, problem, bound: iwae })).toThrow("use scoreFunction({ baseline: vimco })");
    const { factors, ...plain } = problem;
    const before = tf.memory().numTensors;
    expect(() => estimateGradient(raoBlackwell(), { ...at, problem: plain, bound: elbo })).toThrow(
      "does not declare its Markov blankets; declare them by withFactors",
    );
    const wrong = withFactors({
      problem: plain,
      factors: (...inputs) => ({ ...factors(...inputs), logQ: tf.zeros([2, 1, 3]) as never }),
    });
    expect(() => estimateGradient(raoBlackwell(), { ...at, problem: wrong, bound: elbo })).toThrow("the factors' logQ");
    expect(tf.memory().numTensors).toBe(before);
  });
});
