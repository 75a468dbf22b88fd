import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor1D, type Tensor2D, tf } from "../../src/engine/tf.js";
import { leaveOneOut } from "../../src/gradients/baselines.js";
import type { GradientCheck } from "../../src/gradients/check.js";
import { learnedBaseline } from "../../src/gradients/learnedBaseline.js";
import { raoBlackwell } from "../../src/gradients/raoBlackwell.js";
import { scoreControlVariate } from "../../src/gradients/scoreControlVariate.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { withLearnedBaseline } from "../../src/models/learnedBaseline.js";
import { backends } from "../engine/support.js";
import { dataCase, evidence, factorBaselineCase } from "./baselineCase.js";
import { chainCase, checked, expectCompiled, expectUnbiased, gaussianCase } from "./support.js";

describe("learnedBaseline", () => {
  beforeAll(async () => {
    await ready();
  });

  it.each([
    ["ELBO", elbo, 1],
    ["ELBO", elbo, 4],
    ["IWAE", iwae, 1],
    ["IWAE", iwae, 4],
  ] as const)("has the %s's gradient in q for any ψ, and the regression's in ψ", async (_name, bound, samples) => {
    for (const psi of [[3, 0.5], evidence] as const)
      expectUnbiased(
        await checked(learnedBaseline(), dataCase(bound, samples, psi).given, {
          bound,
          samples,
          seed: 1,
          replicates: 600,
        }),
      );
  });

  it("cuts the variance of a single draw, where no sample has others to be compared with", async () => {
    for (const bound of [elbo, iwae]) {
      const { given, plain } = dataCase(bound, 1, evidence);
      const options = { bound, samples: 1, seed: 2, replicates: 600 };
      const learned = await checked(learnedBaseline(), given, options);
      const naive = await checked(scoreFunction(), plain, options);
      const variance = (prefix: string, { components }: typeof naive) =>
        components.reduce((sum, c) => (c.name.startsWith(prefix) ? sum + c.variance : sum), 0);
      const ratio = variance("phi", naive) / variance("phi.q", learned);
      expect(ratio).toBeGreaterThan(2);
    }
  });

  it("composes with Rao-Blackwellisation and with a control variate, at less variance", async () => {
    const options = { bound: elbo, samples: 6, seed: 3, replicates: 800 };
    const ofQ = ({ components }: GradientCheck): number =>
      components.reduce((sum, c) => (/^phi\.(q\.)?logits/.test(c.name) ? sum + c.variance : sum), 0);
    const given = factorBaselineCase(4);
    const blackwell = await checked(raoBlackwell(), chainCase(4, elbo, 1), options);
    const learned = learnedBaseline({ of: raoBlackwell() });
    const off = expectUnbiased(await checked(learned, given, options));
    const { seen, ...exact } = { seen: tf.add(given.phi.baseline.level, given.exact.phi.baseline.level), ...given };
    const best = {
      ...exact,
      phi: { q: given.phi.q, baseline: { level: seen as Tensor2D } },
      exact: {
        theta: given.exact.theta,
        phi: { q: given.exact.phi.q, baseline: { level: tf.zerosLike(seen) as Tensor2D } },
      },
    };
    const there = expectUnbiased(await checked(learned, best, options));
    expect(ofQ(there)).toBeLessThan(ofQ(blackwell));
    expect(ofQ(there)).toBeLessThan(ofQ(off));
    expectUnbiased(await checked(scoreControlVariate({ of: learned, weights: "heldOut" }), given, options));
    const data = dataCase(elbo, 6, [3, 0.5]).given;
    const varied = scoreControlVariate({ of: learnedBaseline(), weights: "heldOut" });
    expectUnbiased(await checked(varied, data, options));
    expect(learned.name).toBe("learnedBaseline (raoBlackwell)");
  });

  it("refuses a problem without a baseline, and one of another shape", () => {
    const { problem, theta, phi } = gaussianCase(1);
    const at = { theta, bound: elbo, samples: 2, key: randomKey(1) };
    expect(() => learnedBaseline()({ ...at, problem, phi })).toThrow("this problem has no baseline to learn");
    const wrong = withLearnedBaseline({ problem, baseline: ({ level }: { level: Tensor1D }) => level });
    expect(() =>
      learnedBaseline()({ ...at, problem: wrong, phi: { q: phi, baseline: { level: tf.zeros([2]) as Tensor1D } } }),
    ).toThrow("learnedBaseline: the baseline");
    expect(() =>
      withLearnedBaseline({ problem: { ...problem, marginal: 1 } as never, baseline: () => phi.mean }),
    ).toThrow("log q of this problem is a marginal's estimate");
    expect(learnedBaseline({ minusOne: false }).standing(iwae).verdict).toBe("refused");
  });

  it("refuses a gradient that has a baseline, and an option that is another's", () => {
    const [plain, own] = [raoBlackwell(), raoBlackwell({ baseline: leaveOneOut })];
    expect([plain.hasBaseline, own.hasBaseline]).toEqual([false, true]);
    const named = /^learnedBaseline: raoBlackwell \(leave-one-out\) has a baseline of its own/;
    expect(() => learnedBaseline({ of: own })).toThrow(named);
    expect(() => learnedBaseline({ of: scoreFunction({ baseline: leaveOneOut }) })).toThrow("a baseline of its own");
    expect(() => learnedBaseline({ of: learnedBaseline() })).toThrow("a baseline of its own");
    // @ts-expect-error: the options exclude each other
    expect(() => learnedBaseline({ of: plain, minusOne: true })).toThrow("minusOne is the score-function");
    expect(learnedBaseline({ of: scoreFunction({ minusOne: false }) }).standing(iwae).verdict).toBe("refused");
  });
});

describe.each(backends)("learnedBaseline on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("runs compiled as eager, for both bounds, and leaves nothing behind", () => {
    for (const bound of [elbo, iwae])
      expectCompiled(learnedBaseline(), dataCase(bound, 3, evidence).given, { bound, samples: 3 });
  });
});
