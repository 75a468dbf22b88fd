import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import type { GradientCheck } from "../../src/gradients/check.js";
import { doublyReparameterised } from "../../src/gradients/doublyReparameterised.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { pathDerivative } from "../../src/gradients/pathDerivative.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { expectClose, read } from "../engine/support.js";
import { checked, expectCompiled, expectUnbiased, gaussianCase, iwaeGaussianCase } from "./support.js";

beforeAll(async () => {
  await ready();
});

/** |mean| over the standard deviation of one estimate, of the mean's gradient. */
const signalToNoise = ({ components }: GradientCheck): number => {
  const found = components.find(({ name }) => name.startsWith("phi.mean"));
  return found ? Math.abs(found.exact) / Math.sqrt(found.variance) : Number.NaN;
};

describe("doublyReparameterised", () => {
  it.each([1, 2, 3, 4, 5])(
    "has IWAE's gradient, with less variance than the reparameterised one, dimension %i",
    async (size) => {
      const [given, options] = [iwaeGaussianCase(size, 8), { bound: iwae, samples: 8, seed: 1, replicates: 400 }];
      const doubly = expectUnbiased(await checked(doublyReparameterised, given, options));
      const single = expectUnbiased(await checked(reparameterised, given, options));
      expect(doubly.totalVariance).toBeLessThan(single.totalVariance / 2);
    },
  );

  it("gains signal over noise with K under IWAE, where the reparameterised gradient loses it", async () => {
    const ratio = async (gradient: typeof reparameterised, samples: number) =>
      signalToNoise(
        await checked(gradient, iwaeGaussianCase(1, samples), { bound: iwae, samples, seed: 2, replicates: 300 }),
      );
    const doubly = (await ratio(doublyReparameterised, 256)) / (await ratio(doublyReparameterised, 4));
    const single = (await ratio(reparameterised, 256)) / (await ratio(reparameterised, 4));
    expect(doubly).toBeGreaterThan(4); // √64 = 8 in the limit
    expect(single).toBeLessThan(1 / 4); // 1/8
  });

  it("is the path derivative under the ELBO, and has θ's reparameterised gradient under every bound", () => {
    const { problem, theta, phi } = gaussianCase(3);
    const at = { problem, theta, phi, samples: 4, key: randomKey(3) };
    const of = (gradient: typeof reparameterised, bound: typeof elbo) => estimateGradient(gradient, { ...at, bound });
    const [doubly, path] = [doublyReparameterised, pathDerivative].map((gradient) => of(gradient, elbo));
    expectClose(read(doubly.gradient.phi.mean), read(path.gradient.phi.mean), 1e-5);
    expectClose(read(doubly.gradient.phi.logScale), read(path.gradient.phi.logScale), 1e-5);
    const [own, other] = [doublyReparameterised, reparameterised].map((gradient) => of(gradient, iwae));
    expectClose(read(own.gradient.theta.shift), read(other.gradient.theta.shift), 1e-5);
    expectClose(read(own.value), read(other.value), 1e-6);
  });

  it("runs compiled as eager and leaves nothing behind, also where p throws", () => {
    const given = iwaeGaussianCase(2, 4);
    expectCompiled(doublyReparameterised, given, { bound: iwae, samples: 4 });
    const { theta, phi } = given;
    const problem = {
      ...given.problem,
      logP: (): Tensor2D => {
        throw new Error("no such density");
      },
    };
    const before = tf.memory().numTensors;
    expect(() =>
      estimateGradient(doublyReparameterised, { problem, bound: iwae, theta, phi, samples: 4, key: randomKey(1) }),
    ).toThrow("no such density");
    expect(tf.memory().numTensors).toBe(before);
  });
});
