import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { arm } from "../../src/gradients/arm.js";
import { gradientCost } from "../../src/gradients/gradientCost.js";
import { overdispersedFactors } from "../../src/gradients/overdispersedFactors.js";
import { raoBlackwell } from "../../src/gradients/raoBlackwell.js";
import { scoreControlVariate } from "../../src/gradients/scoreControlVariate.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { gaussianFactors } from "./factorCases.js";
import { chainCase } from "./support.js";

beforeAll(async () => {
  await ready();
});

describe("gradientCost", () => {
  it.each([
    [scoreFunction(), 6],
    [scoreControlVariate({ weights: "same" }), 6],
    [scoreControlVariate({ weights: "heldOut" }), 12],
    [arm, 12],
    [raoBlackwell(), 12], // its factors, and their sum for the value
  ])("counts the draws at which log p is evaluated: %s", (gradient, evaluations) => {
    const given = chainCase(3, elbo, 1);
    const before = tf.memory().numTensors;
    const cost = gradientCost(gradient, { ...given, bound: elbo, samples: 6, key: randomKey(1), calls: 0 });
    expect(cost).toEqual({ evaluations, milliseconds: Number.NaN });
    expect(tf.memory().numTensors).toBe(before);
  });

  it("counts the exchanges of single factors", () => {
    const given = gaussianFactors(2);
    const at = { ...given, bound: elbo, samples: 6, key: randomKey(1), calls: 0 };
    // One context, for the value, and K draws of every factor for f, with as many for the control variate's weights.
    expect(gradientCost(overdispersedFactors(), at).evaluations).toBe(13);
    expect(gradientCost(overdispersedFactors({ controlVariate: false, contexts: 3 }), at).evaluations).toBe(9);
  });

  it("times compiled estimates and leaves nothing behind", () => {
    const given = { ...chainCase(3, elbo, 1), bound: elbo, samples: 4, key: randomKey(2) };
    const before = tf.memory().numTensors;
    expect(gradientCost(scoreFunction(), { ...given, calls: 3 }).milliseconds).toBeGreaterThan(0);
    expect(tf.memory().numTensors).toBe(before);
    expect(() => gradientCost(scoreFunction(), { ...given, calls: -1 })).toThrow(
      "a whole number, 0 for no timing, not -1",
    );
  });
});
