import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { fullRankGaussian } from "../../src/families/fullRankGaussian.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { taylorControlVariate } from "../../src/gradients/taylorControlVariate.js";
import { densityProblem } from "../../src/models/problem.js";
import { backends } from "../engine/support.js";
import { logisticCase } from "./logisticCase.js";
import { checked, expectCompiled, expectUnbiased, gaussianCase, phiVariance } from "./support.js";

const both = [{ slopes: "derivative" }, { slopes: "secant" }] as const;

describe.each(backends)("taylorControlVariate on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("runs compiled as eager and leaves nothing behind", () => {
    for (const options of both) {
      expectCompiled(taylorControlVariate(options), gaussianCase(3), { bound: elbo, samples: 4 });
      expectCompiled(taylorControlVariate(options), logisticCase(2), { bound: elbo, samples: 4 });
    }
  });
});

describe("taylorControlVariate", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  it.each(both)("leaves no variance in φ where log p is quadratic, correlations and all (%o)", async (options) => {
    for (const size of [1, 3, 5]) {
      const at = { bound: elbo, samples: 2, seed: 1, replicates: 60 };
      const report = expectUnbiased(await checked(taylorControlVariate(options), gaussianCase(size), at));
      expect(phiVariance(report)).toBeLessThan(1e-9);
    }
  });

  it.each(both)("has the ELBO's gradient of another log p at a fraction of the variance (%o)", async (options) => {
    for (const size of [1, 3]) {
      const at = { bound: elbo, samples: 4, seed: 2, replicates: 600 };
      const report = expectUnbiased(await checked(taylorControlVariate(options), logisticCase(size), at));
      const plain = await checked(reparameterised, logisticCase(size), at);
      expect(phiVariance(plain) / phiVariance(report)).toBeGreaterThan(4);
    }
  });

  it("stays unbiased with a Hessian that is wrong, as where an operation loses its second derivative", async () => {
    const given = logisticCase(2);
    const plain = given.problem;
    // tf.sigmoid's derivative is a constant to the second; here it bends log p by nothing at all, and A by much.
    const bent = (z: Parameters<typeof plain.logP>[1]) =>
      tf.tidy(() => {
        const kink = tf.sub(tf.sigmoid(z), tf.div(1, tf.add(1, tf.exp(tf.neg(z)))));
        return tf.add(plain.logP({}, z), tf.mul(3, tf.sum(kink, -1))) as Tensor2D;
      });
    const at = { bound: elbo, samples: 4, seed: 4, replicates: 600 };
    const wrong = {
      ...given,
      problem: { ...plain, logP: (_: object, z: Parameters<typeof plain.logP>[1]) => bent(z) },
    };
    expectUnbiased(await checked(taylorControlVariate(), wrong, at));
  });

  it("refuses other bounds and a q that is no product of normals", () => {
    const { theta, phi, problem } = gaussianCase(2);
    const at = { theta, phi, problem, bound: elbo, samples: 2, key: randomKey(1) };
    expect(() => taylorControlVariate()({ ...at, bound: iwae })).toThrow("no linear function of the draws");
    const family = fullRankGaussian({ dimension: 2 });
    const full = densityProblem({ logDensity: (z) => tf.sum(z, -1), family });
    expect(() => taylorControlVariate()({ ...at, theta: {}, problem: full, phi: family.init(randomKey(1)) })).toThrow(
      "not known to be one; use meanFieldGaussian",
    );
  });
});
