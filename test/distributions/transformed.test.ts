import { beforeAll, describe, expect, it } from "vitest";
import { Independent } from "../../src/distributions/independent.js";
import { LogNormal } from "../../src/distributions/logNormal.js";
import { Normal } from "../../src/distributions/normal.js";
import { Transformed } from "../../src/distributions/transformed.js";
import { ready } from "../../src/engine/backend.js";
import { randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { positive } from "../../src/transforms/positive.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";

describe.each(backends)("Transformed on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });
  const parameters = () => ({ mean: tf.tensor2d([[0.3, -1]]), scale: tf.tensor2d([[0.5, 1.2]]) });
  const vectors = (base: Normal | LogNormal) => new Independent({ base, eventRank: 1 });

  it("is the log-normal where it is exp of a normal: draws and density", () => {
    const law = new Transformed({ base: vectors(new Normal(parameters())), bijection: positive([2]) });
    const exact = vectors(new LogNormal(parameters()));
    expect([law.batchShape, law.eventShape, law.reparameterised]).toEqual([[1], [2], true]);
    const draws = law.sample(randomKey(1), [2, 3]);
    expect(draws.shape).toEqual([2, 3, 1, 2]);
    expectClose(read(law.logProb(draws)), read(exact.logProb(draws)), 1e-5);
    const base = new Normal(parameters()).sample(randomKey(1), [2, 3]);
    expectClose(read(draws), read(tf.exp(base)), 1e-5);
  });

  it("leaves nothing behind", () => {
    const law = new Transformed({ base: vectors(new Normal(parameters())), bijection: positive([2]) });
    expectNoLeak(() => law.sample(randomKey(1), [3]));
    const y = tf.ones([3, 1, 2]);
    expectNoLeak(() => law.logProb(y));
  });

  it("refuses a map of other events, another width, and moments that have no closed form", () => {
    const base = vectors(new Normal(parameters()));
    expect(() => new Transformed({ base, bijection: positive([3]) })).toThrow("make them equal");
    const law = new Transformed({ base, bijection: positive([2]) });
    expect(() => law.logProb(tf.ones([1, 3]))).toThrow("must end in the event shape [2]");
    for (const moment of ["mean", "variance", "entropy"] as const)
      expect(() => law[moment]()).toThrow(`the ${moment} of a transformed law has no closed form`);
  });
});
