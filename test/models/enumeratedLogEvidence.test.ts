import { beforeAll, describe, expect, it } from "vitest";
import { logSumExp } from "../../src/diagnostics/logSumExp.js";
import { ready } from "../../src/engine/backend.js";
import { mapParameters } from "../../src/engine/parameters.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { enumeratedLogEvidence } from "../../src/models/enumeratedLogEvidence.js";
import { sigmoidBeliefNetwork } from "../../src/models/sigmoidBeliefNetwork.js";
import { expectClose } from "../engine/support.js";
import { bitRows, networkOf, numbersOf } from "../gradients/discreteCases.js";

beforeAll(async () => {
  await ready();
});

describe("enumeratedLogEvidence", () => {
  it("is the sum over all bits, written out in Float64, and over all data it is 1", () => {
    const shape = { layers: [3, 2], hidden: [], observed: 3 };
    const model = sigmoidBeliefNetwork(shape);
    const theta = mapParameters(model.init(randomKey(1)), (tensor, path) => normal(randomKey(path), tensor.shape));
    const data = bitRows(3);
    const exact = networkOf(numbersOf(theta), shape);
    const before = tf.memory().numTensors;
    const x = tf.tensor2d(data);
    const { logEvidence, mean } = enumeratedLogEvidence({ model, theta, x });
    x.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expectClose(
      Array.from(logEvidence),
      data.map((datum) => logSumExp(bitRows(5).map((z) => exact(datum, z)))),
      2e-6,
    );
    expect(logEvidence.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 5);
    expect(mean.value).toBeCloseTo(logEvidence.reduce((sum, value) => sum + value, 0) / 8, 10);
    expect(mean.n).toBe(8);
  });

  it("goes through the states in blocks, which do not show", () => {
    const model = sigmoidBeliefNetwork({ layers: [12], observed: 2 });
    const theta = mapParameters(model.init(randomKey(2)), (tensor, path) => normal(randomKey(path), tensor.shape));
    const x = tf.tensor2d(Array.from({ length: 300 }, (_, b) => bitRows(2)[b % 4]!)); // 2¹² × 300 > 2²⁰
    const { logEvidence } = enumeratedLogEvidence({ model, theta, x });
    logEvidence.forEach((value, b) => {
      expect(value).toBe(logEvidence[b % 4]!);
    });
    expect(logEvidence.slice(0, 4).reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 5);
  });

  it("refuses too many bits and data that are empty or not finite", () => {
    const model = sigmoidBeliefNetwork({ layers: [2], observed: 1 });
    const theta = model.init(randomKey(1));
    expect(() => enumeratedLogEvidence({ model, theta, x: tf.zeros([0, 1]) })).toThrow("the data are empty");
    expect(() => enumeratedLogEvidence({ model, theta, x: tf.tensor2d([[0], [Number.NaN]]) })).toThrow(
      "x[1, 0] is NaN",
    );
    const wide = sigmoidBeliefNetwork({ layers: [17], observed: 1 });
    expect(() => enumeratedLogEvidence({ model: wide, theta: wide.init(randomKey(1)), x: tf.zeros([1, 1]) })).toThrow(
      "enumeratedLogEvidence: 17 variables of 2 states have 131072 states together",
    );
  });
});
