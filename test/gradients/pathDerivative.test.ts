import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { gaussianConditional } from "../../src/families/gaussianConditional.js";
import { hierarchical } from "../../src/families/hierarchical.js";
import { standardNormal } from "../../src/families/standardNormal.js";
import { doublyReparameterised } from "../../src/gradients/doublyReparameterised.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { pathDerivative } from "../../src/gradients/pathDerivative.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { hierarchicalDensityProblem, initialParameters } from "../../src/marginals/hierarchicalProblem.js";
import { sivi } from "../../src/marginals/marginal.js";
import { expectClose, read } from "../engine/support.js";
import {
  chainCase,
  checked,
  expectCompiled,
  expectUnbiased,
  gaussianCase,
  iwaeGaussianCase,
  posteriorGaussian,
} from "./support.js";

beforeAll(async () => {
  await ready();
});

describe("pathDerivative", () => {
  it.each([1, 2, 3, 4, 5])("has the ELBO's gradient in both records, dimension %i", async (size) => {
    expectUnbiased(await checked(pathDerivative, gaussianCase(size), { bound: elbo, samples: 8, seed: 1 }));
  });

  it("has no variance where q is the posterior, where the reparameterised gradient has some", async () => {
    const options = { bound: elbo, samples: 2, seed: 2, replicates: 50 };
    const path = await checked(pathDerivative, posteriorGaussian(3), options);
    const whole = await checked(reparameterised, posteriorGaussian(3), options);
    expect(path.totalVariance).toBeLessThan(1e-10);
    expect(whole.totalVariance).toBeGreaterThan(0.1);
  });

  it("is biased under IWAE, as it says", async () => {
    const report = await checked(pathDerivative, iwaeGaussianCase(1, 5), {
      bound: iwae,
      samples: 5,
      seed: 3,
      replicates: 2000,
    });
    expect(report.verdict, String(report)).toBe("biased");
    expect(pathDerivative.standing(iwae)).toMatchObject({ verdict: "biased" });
    expect(pathDerivative.standing(elbo)).toEqual({ verdict: "unbiased" });
  });

  it("runs compiled as eager and leaves nothing behind", () => {
    expectCompiled(pathDerivative, gaussianCase(2), { bound: elbo, samples: 3 });
  });

  it.each(
    [pathDerivative, doublyReparameterised, reparameterised].map((gradient) => [gradient.name, gradient] as const),
  )(
    "%s refuses draws without a path, or that may have none, and held log q of a marginal's estimate",
    (_name, gradient) => {
      const at = { bound: elbo, samples: 3, key: randomKey(3) };
      const before = tf.memory().numTensors;
      const { problem, theta, phi } = chainCase(2, elbo, 2);
      const made = tf.memory().numTensors;
      expect(() => estimateGradient(gradient, { ...at, problem, theta, phi })).toThrow(
        "no gradient flows through the draws of this q into its parameters, so their gradient would be wrong; use ",
      );
      expect(() => estimateGradient(gradient, { ...at, samples: 0, problem, theta, phi })).toThrow("not 0");
      // Without sampleWithLogQ nothing says that the bits have no path.
      const { sampleWithLogQ: _, ...silent } = problem;
      expect(() => estimateGradient(gradient, { ...at, problem: silent, theta, phi })).toThrow(
        "does not say whether a gradient flows through its draws",
      );
      expect(tf.memory().numTensors).toBe(made);
      expect(made).toBeGreaterThan(before);
      const gaussian = gaussianCase(2);
      const told = estimateGradient(gradient, { ...at, ...gaussian });
      const untold = { ...gaussian.problem, sampleWithLogQ: undefined }; // its distribution says it
      const same = estimateGradient(gradient, { ...at, ...gaussian, problem: untold });
      expectClose(read(same.gradient.phi.mean), read(told.gradient.phi.mean), 1e-6);
      if (gradient === reparameterised) return;
      const family = hierarchical({
        mixing: standardNormal({ dimension: 1 }),
        conditional: gaussianConditional({ latent: 1, mixing: 1, hidden: [2] }),
      });
      const marginal = sivi({ samples: 2 });
      const joint = hierarchicalDensityProblem({ logDensity: (z) => tf.sum(z, -1), family, marginal });
      const q = initialParameters(family, marginal, randomKey(2));
      expect(() => estimateGradient(gradient, { ...at, problem: joint, theta: {}, phi: q })).toThrow(
        "use iwhviDoublyReparameterised or reparameterised",
      );
    },
  );
});
