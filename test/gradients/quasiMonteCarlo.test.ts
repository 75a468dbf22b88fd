import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { fullRankGaussian } from "../../src/families/fullRankGaussian.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { leaveOneOut } from "../../src/gradients/baselines.js";
import { pathDerivative } from "../../src/gradients/pathDerivative.js";
import { quasiMonteCarlo } from "../../src/gradients/quasiMonteCarlo.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { quasiDraws } from "../../src/samplers/quasiDraws.js";
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

describe("quasiMonteCarlo", () => {
  it.each([1, 3, 5])("has the ELBO's gradient at a fraction of the variance, dimension %i", async (size) => {
    for (const given of [gaussianCase(size), logisticCase(size)]) {
      const options = { bound: elbo, samples: 32, seed: 1 };
      const quasi = expectUnbiased(await checked(quasiMonteCarlo(), given, options));
      const plain = await checked(reparameterised, given, options);
      expect(phiVariance(plain) / phiVariance(quasi)).toBeGreaterThan(5);
      expectUnbiased(await checked(quasiMonteCarlo(pathDerivative), given, options));
    }
  });

  it("gains more than independent draws by K: the variance falls much faster than 1/K", async () => {
    const variance = async (samples: number) =>
      phiVariance(await checked(quasiMonteCarlo(), logisticCase(2), { bound: elbo, samples, seed: 2 }));
    expect((await variance(4)) / (await variance(64))).toBeGreaterThan(3 * 16);
  });

  it("is biased for IWAE, as it says", async () => {
    const options = { bound: iwae, samples: 2, seed: 3, replicates: 4000 };
    expect((await checked(quasiMonteCarlo(), iwaeGaussianCase(1, 2), options)).verdict).toBe("biased");
    expect(quasiMonteCarlo().standing(iwae).verdict).toBe("biased");
  });

  it("gives a full-rank q its covariance", () => {
    const family = fullRankGaussian({ dimension: 2 });
    const phi = family.init(randomKey(1));
    const q = family.distribution(phi);
    const z = quasiDraws(q, randomKey(2), 4096);
    const { mean, variance } = tf.moments(z, 0);
    expectClose(read(mean), read(q.mean()), 0.005);
    expectClose(read(variance), read(q.variance()), 0.02);
  });

  it("runs compiled as eager and leaves nothing behind", () => {
    expectCompiled(quasiMonteCarlo(), gaussianCase(2), { bound: elbo, samples: 4 });
    expectCompiled(quasiMonteCarlo(pathDerivative), gaussianCase(2), { bound: elbo, samples: 3 });
  });

  it("refuses a q that is no Gaussian, a problem without its distribution, too many dimensions, and gradients that need independent draws", () => {
    const { theta, phi } = gaussianCase(2);
    const at = { theta, phi, bound: elbo, samples: 4, key: randomKey(1) };
    const chain = chainCase(2, elbo, 2);
    expect(() => quasiMonteCarlo()({ ...at, ...chain })).toThrow("does not say what distribution its q is");
    expect(() => quasiMonteCarlo(scoreFunction({ baseline: leaveOneOut }))).toThrow(
      "quasiMonteCarlo: scoreFunction (leave-one-out) is not known to hold",
    );
    const other = { batchShape: [1], eventShape: [2] } as never;
    expect(() => quasiDraws(other, randomKey(1), 4)).toThrow("not known to be a Gaussian");
    const wide = meanFieldGaussian({ dimension: 54 });
    expect(() => quasiDraws(wide.distribution(wide.init(randomKey(1))), randomKey(1), 4)).toThrow("not for 54");
  });
});
