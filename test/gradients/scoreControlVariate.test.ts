import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { leaveOneOut } from "../../src/gradients/baselines.js";
import { raoBlackwell } from "../../src/gradients/raoBlackwell.js";
import { scoreControlVariate } from "../../src/gradients/scoreControlVariate.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
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
