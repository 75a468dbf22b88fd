import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { arm } from "../../src/gradients/arm.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { categoricalCase } from "./discreteCases.js";
import { chainCase, checked, expectCompiled, expectUnbiased, gaussianCase, phiVariance } from "./support.js";

beforeAll(async () => {
  await ready();
});

describe("arm", () => {
  it.each([1, 2, 3, 4, 5])(
    "has the ELBO's gradient, with less variance than twice as many scores, dimension %i",
    async (size) => {
      const given = chainCase(size, elbo, 4);
      const report = expectUnbiased(await checked(arm, given, { bound: elbo, samples: 4, seed: 1 }));
      const naive = await checked(scoreFunction(), given, { bound: elbo, samples: 8, seed: 1 });
      expect(phiVariance(report)).toBeLessThan(phiVariance(naive));
    },
  );

  it("runs compiled as eager and leaves nothing behind", () => {
    expectCompiled(arm, chainCase(3, elbo, 4), { bound: elbo, samples: 4 });
  });

  it("refuses another bound, and a q that is not Bernoulli", () => {
    const at = { samples: 2, key: randomKey(1) };
    expect(() => arm({ ...chainCase(2, elbo, 2), ...at, bound: iwae })).toThrow(
      "use scoreFunction({ baseline: vimco })",
    );
    expect(() => arm({ ...gaussianCase(2), ...at, bound: elbo })).toThrow("q is not declared to be Bernoulli");
    expect(() => arm({ ...categoricalCase(2, 3), ...at, bound: elbo })).toThrow(
      "arm: this problem's q is of categorical variables, but this is for bits; use rebar",
    );
  });
});
