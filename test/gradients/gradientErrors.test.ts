import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { leaveOneOut } from "../../src/gradients/baselines.js";
import type { Gradient } from "../../src/gradients/gradient.js";
import { gradientErrors } from "../../src/gradients/gradientErrors.js";
import { raoBlackwell } from "../../src/gradients/raoBlackwell.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { bernoulliChain } from "../../src/models/bernoulliChain.js";
import { exactChainScoreVariance } from "../../src/models/chainScoreVariance.js";
import { chainCase } from "./support.js";

beforeAll(async () => {
  await ready();
});

const sites = 5;

/** The chain case in B copies. */
function copied(copies: number) {
  const { theta, phi, exact } = chainCase(sites, elbo, 1);
  const numbers = (tensor: { dataSync(): ArrayLike<number> }) => Array.from(tensor.dataSync());
  return {
    inputs: {
      problem: bernoulliChain({ sites, batchSize: copies }),
      theta,
      phi: { logits: tf.tile(phi.logits, [copies, 1]) as Tensor2D },
      exact: { logits: exact.phi.logits },
      bound: elbo,
    },
    chain: { bias: numbers(theta.bias), coupling: numbers(theta.coupling), logits: numbers(phi.logits) },
  };
}

describe("gradientErrors", () => {
  it.each([
    [scoreFunction({ minusOne: false }), {}],
    [scoreFunction({ minusOne: true }), { minusOne: true }],
    [scoreFunction({ baseline: leaveOneOut }), { leaveOneOut: true }],
    [scoreFunction({ baseline: leaveOneOut, minusOne: true }), { leaveOneOut: true, minusOne: true }],
    [raoBlackwell(), { raoBlackwell: true }],
    [raoBlackwell({ baseline: leaveOneOut }), { raoBlackwell: true, leaveOneOut: true }],
  ])("finds the exact variance and no bias: %s", (gradient, options) => {
    const { inputs, chain } = copied(8000);
    const samples = 3;
    const found = gradientErrors(gradient, { ...inputs, samples, key: randomKey(1) });
    const exact = exactChainScoreVariance(chain, { samples, ...options }).reduce((sum, v) => sum + v / sites, 0);
    expect(Math.abs(found.variance.value - exact)).toBeLessThan(4 * found.variance.standardError);
    expect(found.variance.standardError / exact).toBeLessThan(0.05);
    expect(Math.abs(found.squaredError.value - exact)).toBeLessThan(4 * found.squaredError.standardError);
    expect(Math.abs(found.worst.bias)).toBeLessThan(4);
    expect(found.relativeBias.value).toBeLessThan(3 * found.relativeBias.standardError);
  });

  it("finds a bias that is there, and its size", () => {
    const { inputs } = copied(8000);
    const of = scoreFunction({ baseline: leaveOneOut });
    const halved: Gradient = (given) => {
      const { value, surrogate } = of(given);
      return { value, surrogate: tf.mul(surrogate, 0.5) as typeof surrogate };
    };
    const found = gradientErrors(halved, { ...inputs, samples: 4, key: randomKey(2) });
    expect(Math.abs(found.relativeBias.value - 0.5)).toBeLessThan(3 * found.relativeBias.standardError);
    expect(Math.abs(found.worst.bias)).toBeGreaterThan(8);
    expect(found.squaredError.value).toBeGreaterThan(found.variance.value);
  });

  it("leaves nothing behind, and the same key gives the same numbers", () => {
    const { inputs } = copied(40);
    const before = tf.memory().numTensors;
    const at = { ...inputs, samples: 2, key: randomKey(3) };
    expect(gradientErrors(scoreFunction(), at)).toEqual(gradientErrors(scoreFunction(), at));
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses few copies, an exact gradient of another shape, one of zeros, and numbers that are not finite", () => {
    const few = copied(5).inputs;
    const at = { samples: 2, key: randomKey(4) };
    expect(() => gradientErrors(scoreFunction(), { ...few, ...at })).toThrow(
      "at least 30 copies, batchSize ≥ 30, not 5",
    );
    const { inputs } = copied(30);
    const run =
      (exact: object, gradient: Gradient = scoreFunction()) =>
      () =>
        gradientErrors(gradient, { ...inputs, ...at, exact: exact as never });
    expect(run({ logits: tf.zeros([1, 4]) })).toThrow("give one row for the 30");
    expect(run({ other: inputs.exact.logits })).toThrow("but the exact one is { other [1, 5] }");
    expect(run({ logits: tf.zeros([1, sites]) })).toThrow("all zeros");
    expect(run({ logits: tf.fill([1, sites], Number.NaN) })).toThrow("logits[0] of the exact gradient is NaN");
    const broken: Gradient = (given) => {
      const { value, surrogate } = scoreFunction()(given);
      return { value, surrogate: tf.mul(surrogate, Number.NaN) as typeof surrogate };
    };
    expect(run(inputs.exact, broken)).toThrow("an estimate of logits[0] is NaN");
  });
});
