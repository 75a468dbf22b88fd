import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { allBits } from "../../src/models/allStates.js";
import { bitWeights } from "../../src/models/bitWeights.js";
import { expectClose, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

describe("bitWeights", () => {
  it("has p over q for every state, in the order of allBits", () => {
    const logits = [0.3, -1, 2];
    const states = read(allBits(3));
    expect(states).toHaveLength(24);
    const logP = Array.from({ length: 8 }, (_, s) => Math.sin(s));
    const { logWeights, probabilities } = bitWeights(logP, logits);
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 14);
    for (let s = 0; s < 8; s++) {
      const q = logits.reduce((product, l, n) => product / (1 + Math.exp(states[3 * s + n] === 1 ? -l : l)), 1);
      expectClose([probabilities[s]!, logWeights[s]!], [q, logP[s]! - Math.log(q)], 1e-14);
    }
  });

  it("refuses values that are not one a state, and no bits", () => {
    expect(() => bitWeights([1, 2, 3], [0.5, 1])).toThrow("2 logits have 4 states, but log p has 3 values");
    expect(() => allBits(0)).toThrow("the number of bits must be a positive integer, not 0");
    expect(() => allBits(20)).toThrow("allBits: 20 variables of 2 states have 1048576 states together");
  });
});
