import { beforeAll, describe, expect, it } from "vitest";
import { Independent } from "../../src/distributions/independent.js";
import { Normal } from "../../src/distributions/normal.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { type ParameterConditionalOptions, parameterConditional } from "../../src/families/parameterConditional.js";
import { exp } from "../../src/ops/exp.js";
import { expectClose, read } from "../engine/support.js";
import { logNormal } from "../marginals/hierarchicalTruth.js";

beforeAll(async () => {
  await ready();
});

const options: ParameterConditionalOptions = {
  latent: 1,
  sizes: [1, 1],
  law: ([mean, logScale]) =>
    new Independent({ base: new Normal({ mean: mean!, scale: exp(logScale!) }), eventRank: 1 }),
};

describe("parameterConditional", () => {
  const conditional = parameterConditional(options);

  it("is the law at λ, and has no parameters of its own", () => {
    expect([conditional.dimension, conditional.mixingDimension, conditional.init(randomKey(1))]).toEqual([1, 2, {}]);
    const law = conditional.given({})(tf.tensor3d([[[0.5, Math.log(2)]], [[-1, 0]]]));
    expect([law.batchShape, law.eventShape]).toEqual([[2, 1], [1]]);
    const expected = [logNormal(1.5, 0.5, 2), logNormal(0, -1, 1)];
    expectClose(read(law.logProb(tf.tensor3d([[[1.5]], [[0]]]))), expected, 1e-6);
  });

  it("refuses a λ, sizes or a law that do not fit", () => {
    expect(() => conditional.given({})(tf.zeros([3, 1, 3]))).toThrow("parameterConditional: λ");
    const make = (changed: Partial<ParameterConditionalOptions>) => parameterConditional({ ...options, ...changed });
    expect(() => make({ latent: 0 })).toThrow("latent must be a positive integer");
    expect(() => make({ sizes: [] })).toThrow("sizes is empty");
    expect(() => make({ sizes: [1, 0] })).toThrow("a size in sizes must be a positive integer");
    expect(() => make({ latent: 3 }).given({})(tf.zeros([4, 1, 2]))).toThrow("the event shape [1], but z needs [3]");
  });
});
