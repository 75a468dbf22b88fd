import { beforeAll, describe, expect, it } from "vitest";
import { exactIwae } from "../../src/bounds/exactImportanceWeighted.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor3D, tf } from "../../src/engine/tf.js";
import { bernoulliChain, chainWeightDistribution, exactChainElbo } from "../../src/models/bernoulliChain.js";
import { drawLogWeights } from "../../src/models/problem.js";
import { expectClose, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const numbers = { bias: [0.4, -0.7, 0.2], coupling: [1.1, -0.6, 0.5], logits: [0.3, -1, 0.8] };

describe("bernoulliChain", () => {
  it("has the log-weights that its enumeration has", () => {
    const problem = bernoulliChain({ sites: 3 });
    const theta = { bias: tf.tensor1d(numbers.bias), coupling: tf.tensor1d(numbers.coupling) };
    const phi = { logits: tf.tensor2d([numbers.logits]) };
    // State s has bit n of s at site n.
    const states = Array.from({ length: 8 }, (_, s) => [[s & 1, (s >> 1) & 1, (s >> 2) & 1]]);
    const z = tf.tensor3d(states) as Tensor3D;
    const { logWeights, probabilities } = chainWeightDistribution(numbers);
    const logQ = problem.logQ(phi, z, randomKey(1));
    expectClose(read(tf.exp(logQ)), Array.from(probabilities), 1e-6);
    expectClose(read(tf.sub(problem.logP(theta, z), logQ)), Array.from(logWeights), 1e-6);
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
  });

  it("has the ELBO in closed form that its enumeration has", () => {
    expect(exactChainElbo(numbers)).toBeCloseTo(exactIwae(chainWeightDistribution(numbers), 1), 12);
  });

  it("draws the same bits with their log q as without", () => {
    const problem = bernoulliChain({ sites: 2, batchSize: 3 });
    const theta = { bias: tf.tensor1d([0, 1]), coupling: tf.tensor1d([1, 0]) };
    const phi = { logits: tf.randomNormal([3, 2], 0, 1, "float32", 1) as never };
    const { sampleWithLogQ, ...plain } = problem;
    const at = { theta, phi, samples: 5, key: randomKey(2) };
    expectClose(read(drawLogWeights(problem, at).logW), read(drawLogWeights(plain, at).logW), 1e-6);
  });

  it("refuses sizes that are no positive integers", () => {
    expect(() => bernoulliChain({ sites: 0 })).toThrow("sites must be a positive integer, not 0");
    expect(() => bernoulliChain({ sites: 2, batchSize: 1.5 })).toThrow("batchSize must be a positive integer, not 1.5");
  });
});
