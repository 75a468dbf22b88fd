import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { paretoSmoothing } from "../../src/diagnostics/paretoSmoothing.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { leaveOneOut } from "../../src/gradients/baselines.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { raoBlackwell } from "../../src/gradients/raoBlackwell.js";
import { scoreControlVariate } from "../../src/gradients/scoreControlVariate.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { densityProblem } from "../../src/models/problem.js";
import { chainCase, checked, expectCompiled, expectUnbiased, gaussianCase, phiVariance } from "./support.js";

beforeAll(async () => {
  await ready();
});

describe("scoreControlVariate", () => {
  it.each([1, 3, 5])("with held-out weights has the ELBO's gradient at less variance, dimension %i", async (size) => {
    const [given, options] = [chainCase(size, elbo, 8), { bound: elbo, samples: 8, seed: 1 }];
    const naive = await checked(scoreFunction(), given, options);
    const report = expectUnbiased(await checked(scoreControlVariate({ weights: "heldOut" }), given, options));
    expect(phiVariance(report)).toBeLessThan(phiVariance(naive));
  });

  it("composes with Rao-Blackwellisation, on continuous latents too", async () => {
    const given = chainCase(4, elbo, 5);
    const options = { bound: elbo, samples: 5, seed: 2 };
    const blackwell = await checked(raoBlackwell(), given, options);
    const both = expectUnbiased(
      await checked(scoreControlVariate({ of: raoBlackwell(), weights: "heldOut" }), given, options),
    );
    expect(phiVariance(both)).toBeLessThan(phiVariance(blackwell));
    expectUnbiased(await checked(scoreControlVariate({ weights: "heldOut" }), gaussianCase(2), options));
  });

  it("with weights from the same draws is biased, as it says, and less so with more draws", async () => {
    const gradient = scoreControlVariate({ weights: "same" });
    const report = await checked(gradient, gaussianCase(1), { bound: elbo, samples: 3, seed: 3, replicates: 2000 });
    expect(report.verdict, String(report)).toBe("biased");
    const bias = ({ components }: typeof report) =>
      Math.max(...components.map(({ mean, exact }) => Math.abs(mean - exact)));
    const more = await checked(gradient, gaussianCase(1), { bound: elbo, samples: 16, seed: 4, replicates: 1000 });
    expect(bias(more)).toBeLessThan(bias(report) / 2);
    expect(gradient.standing(elbo).verdict).toBe("biased");
    expect(scoreControlVariate({ weights: "heldOut" }).standing(elbo).verdict).toBe("unbiased");
  });

  it("has a tail of index K − 1 on a Gaussian: no mean with K = 2, infinite variance with K = 3", () => {
    const copies = 20_000;
    const problem = densityProblem({
      logDensity: (z) => tf.sum(tf.sub(tf.mul(2, z), tf.square(z)), -1), // not even about q's mean
      family: meanFieldGaussian({ dimension: 1, batchSize: copies }),
      batchSize: copies,
    });
    const zeros = tf.zeros([copies, 1]) as Tensor2D;
    const khat = (samples: number): number => {
      const at = { problem, bound: elbo, theta: {}, phi: { mean: zeros, logScale: zeros }, samples };
      const { gradient } = estimateGradient(scoreControlVariate({ weights: "heldOut" }), { ...at, key: randomKey(7) });
      return paretoSmoothing(gradient.phi.logScale.dataSync().map((g) => Math.log(Math.abs(g)))).khat;
    };
    // k̂ estimates 1 / (K − 1), with a standard error of about 0.1: from 1 on there is no mean, from ½ on no variance.
    const [two, three, six] = [khat(2), khat(3), khat(6)];
    expect(two).toBeGreaterThan(0.8);
    expect(two).toBeLessThan(1.2);
    expect(three).toBeGreaterThan(0.4);
    expect(three).toBeLessThan(0.8);
    expect(six).toBeLessThan(0.4);
  });

  it("runs compiled as eager and leaves nothing behind", () => {
    const given = chainCase(3, elbo, 4);
    for (const weights of ["heldOut", "same"] as const) {
      for (const of of [scoreFunction(), raoBlackwell({ baseline: leaveOneOut })]) {
        expectCompiled(scoreControlVariate({ of, weights }), given, { bound: elbo, samples: 4 });
      }
    }
  });

  it("refuses another bound and a single sample", () => {
    const { problem, theta, phi } = chainCase(2, elbo, 2);
    const at = { problem, theta, phi, key: randomKey(1) };
    const gradient = scoreControlVariate({ weights: "heldOut" });
    expect(() => gradient({ ...at, bound: iwae, samples: 4 })).toThrow("use scoreFunction({ baseline: vimco })");
    expect(() => gradient({ ...at, bound: elbo, samples: 1 })).toThrow("needs K ≥ 2");
  });
});
