import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { type Key, randomKey } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import {
  densityProblem,
  drawLogWeights,
  latentVariableProblem,
  posteriorProblem,
  withFixedModel,
} from "../../src/models/problem.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { expectClose, expectNoLeak, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const family = meanFieldGaussian({ dimension: 2 });
const phi = () => ({ mean: tf.tensor2d([[1, 2]]), logScale: tf.zeros([1, 2]) as Tensor2D });
const logDensity = (z: Parameters<typeof tf.sum>[0]) => tf.neg(tf.sum(z, -1));

describe("a problem", () => {
  it("gives log p − log q of its draws, whether or not sampling and density are one", () => {
    const problem = densityProblem({ logDensity, family });
    const point = { theta: {}, phi: phi(), samples: 4, key: randomKey(1) };
    const together = drawLogWeights(problem, point);
    const apart = drawLogWeights({ ...problem, sampleWithLogQ: undefined }, point);
    expect(read(tf.sub(together.z, apart.z))).toEqual(new Array(8).fill(0));
    const logW = read(together.logW);
    expectClose(logW, read(apart.logW), 1e-6);
    expectClose(logW, read(tf.sub(problem.logP({}, apart.z), problem.logQ(phi(), apart.z, randomKey(0)))), 1e-6);
  });

  it("leaves no tensor behind", () => {
    const problem = densityProblem({ logDensity, family });
    const at = phi();
    const z = problem.sample(at, randomKey(1), 3);
    expectNoLeak(() => [problem.sample(at, randomKey(1), 3), problem.logP({}, z), problem.logQ(at, z, randomKey(0))]);
    expectNoLeak(() => {
      const { z, logW } = drawLogWeights(problem, { theta: {}, phi: at, samples: 3, key: randomKey(1) });
      return [z, logW];
    });
  });

  it("gives the draws and an estimate of their density keys of their own", () => {
    const keys: Key[] = [randomKey(1)];
    const problem = { ...densityProblem({ logDensity, family }), sampleWithLogQ: undefined };
    const spy: typeof problem = {
      ...problem,
      sample: (phi, key, samples) => problem.sample(phi, keys[keys.push(key) - 1], samples),
      logQ: (phi, z, key) => problem.logQ(phi, z, keys[keys.push(key) - 1]),
    };
    drawLogWeights(spy, { theta: {}, phi: phi(), samples: 2, key: keys[0] });
    expect(new Set(keys.map(({ words }) => `${words}`)).size).toBe(3);
  });

  it("refuses K that is no positive integer", () => {
    const problem = densityProblem({ logDensity, family });
    for (const samples of [0, -1, 1.5, Number.NaN]) {
      expect(() => drawLogWeights(problem, { theta: {}, phi: phi(), samples, key: randomKey(1) })).toThrow(
        `K must be a positive integer, not ${samples}`,
      );
    }
  });
});

describe("densityProblem", () => {
  it("says which shape a log-density should have returned", () => {
    const z = tf.zeros([3, 1, 2]);
    const wrong = densityProblem({ logDensity: (z) => tf.neg(z), family });
    expect(() => wrong.logP({}, z as never)).toThrow(
      "logDensity must map z [3, 1, 2] to one value a sample, [3, 1], but it returned [3, 1, 2]",
    );
    const total = densityProblem({ logDensity: (z) => tf.sum(z), family });
    expect(() => total.logP({}, z as never)).toThrow("but it returned []");
  });

  it("refuses a family whose batch is not the problem's", () => {
    const problem = densityProblem({ logDensity, family: meanFieldGaussian({ dimension: 2, batchSize: 3 }) });
    const wide = { mean: tf.zeros([3, 2]) as Tensor2D, logScale: tf.zeros([3, 2]) as Tensor2D };
    expect(() => problem.sample(wide, randomKey(1), 2)).toThrow("batch shape [3]");
  });
});

describe("latentVariableProblem", () => {
  it("refuses empty data, a wrong shape, a missing scale and a family of another dimension", () => {
    const one = meanFieldGaussian({ dimension: 1 });
    const model = conjugateGaussian;
    const x = tf.tensor2d([[2]]);
    expect(() => latentVariableProblem({ model, family: one, x: tf.zeros([0, 1]) as Tensor2D, scale: 1 })).toThrow(
      "the batch x is empty",
    );
    expect(() => latentVariableProblem({ model, family: one, x: tf.zeros([3]) as never, scale: 1 })).toThrow(
      "has the shape [3]",
    );
    // @ts-expect-error: the scale is what users forget, so the type asks for it
    expect(() => latentVariableProblem({ model, family: one, x })).toThrow("scale must be N/S");
    expect(() => latentVariableProblem({ model, family: one, x, scale: 0 })).toThrow("scale must be N/S");
    expect(() => latentVariableProblem({ model, family, x, scale: 1 })).toThrow("1 latent dimensions, the family 2");
  });
});

describe("posteriorProblem", () => {
  const x = () => tf.tensor2d([[1], [3]]);
  const parts = {
    family: meanFieldGaussian({ dimension: 1 }),
    logPrior: (z: Parameters<typeof normalLogDensity>[0]) => normalLogDensity(z, 0, 1, 1),
    logLikelihood: (z: Parameters<typeof normalLogDensity>[0], x: Tensor2D) =>
      normalLogDensity(tf.squeeze(z, [2]), tf.squeeze(x, [1]), 1),
  };

  it("adds the scaled likelihood to the prior, once", () => {
    const problem = posteriorProblem({ ...parts, x: x(), scale: 10 });
    const [z, half] = [0.5, Math.log(2 * Math.PI) / 2];
    const expected = -(z * z) / 2 - half + 10 * (-((1 - z) ** 2 + (3 - z) ** 2) / 2 - 2 * half);
    expectClose(read(problem.logP({}, tf.tensor3d([[[z]]]))), [expected], 1e-6);
    expect([problem.batchSize, problem.scale]).toEqual([1, 1]); // the scale is in the density already
  });

  it("says when the likelihood is not one value a datum", () => {
    const problem = posteriorProblem({ ...parts, x: x(), scale: 1, logLikelihood: (z) => tf.squeeze(z, [2]) });
    expect(() => problem.logP({}, tf.zeros([4, 1, 1]) as never)).toThrow("what logLikelihood returns");
    expect(() => posteriorProblem({ ...parts, x: x(), scale: Number.NaN })).toThrow("scale must be N/S");
    expect(() => posteriorProblem({ ...parts, x: tf.zeros([0, 1]) as Tensor2D, scale: 1 })).toThrow("empty");
  });
});

describe("withFixedModel", () => {
  it("uses the parameters it was given", () => {
    const problem = densityProblem({ logDensity, family });
    const shifted = {
      ...problem,
      logP: (theta: { c: Tensor2D }, z: Parameters<typeof problem.logP>[1]) =>
        tf.add(problem.logP({}, z), theta.c) as Tensor2D,
    };
    const z = tf.ones([1, 1, 2]) as never;
    expect(read(withFixedModel(shifted, { c: tf.tensor2d([[5]]) }).logP({}, z))).toEqual([3]);
  });
});
