import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { mapParameters, type Parameters } from "../../src/engine/parameters.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { arm } from "../../src/gradients/arm.js";
import { leaveOneOut, vimco } from "../../src/gradients/baselines.js";
import { gumbelSoftmax, straightThrough } from "../../src/gradients/gumbelSoftmax.js";
import { learnedBaseline } from "../../src/gradients/learnedBaseline.js";
import { rebar } from "../../src/gradients/rebar.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { withLearnedBaseline } from "../../src/models/learnedBaseline.js";
import { sigmoidBeliefNetwork } from "../../src/models/sigmoidBeliefNetwork.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";
import { bitRows, networkCase, networkOf, numbersOf } from "../gradients/discreteCases.js";
import { checked, expectCompiled, expectUnbiased, phiVariance } from "../gradients/support.js";

const shapes = [
  { layers: [3], hidden: [], observed: 4 },
  { layers: [2, 3], hidden: [], observed: 3 },
  { layers: [2, 1, 2], hidden: [3], observed: 3 },
];
const spread = <P extends Parameters>(record: P): P =>
  mapParameters(record, (tensor, path) => normal(randomKey(path), tensor.shape));
const flat = (rows: readonly (readonly number[])[]): Tensor2D => tf.tensor2d(rows.map((row) => [...row]));

describe.each(backends)("sigmoidBeliefNetwork on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it.each(shapes)("has the log p(x, z) that is written out in Float64, and is a distribution: %o", (shape) => {
    const model = sigmoidBeliefNetwork(shape);
    const theta = spread(model.init(randomKey(1)));
    const [data, states] = [bitRows(shape.observed), bitRows(model.dimension)];
    const exact = networkOf(numbersOf(theta), shape);
    const z = tf.tile(tf.expandDims(flat(states), 1), [1, data.length, 1]) as Tensor3D;
    const found = read(model.logJoint(theta, z, flat(data)));
    const expected = states.flatMap((bits) => data.map((x) => exact(x, bits)));
    expectClose(found, expected, 1e-5);
    expect(expected.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 10);
    const apart = tf.add(
      model.logPrior(theta, tf.expandDims(flat(states), 1) as Tensor3D),
      model.logLikelihoodMatrix(theta, flat(states), flat(data)),
    );
    expectClose(read(apart), expected, 1e-5);
  });
});

describe("sigmoidBeliefNetwork", () => {
  beforeAll(async () => {
    await ready({ backend: "tensorflow" });
  });

  it("draws its latents from its prior, layer by layer", () => {
    const shape = shapes[2]!;
    const model = sigmoidBeliefNetwork(shape);
    const theta = spread(model.init(randomKey(2)));
    const draws = 40_000;
    const states = bitRows(model.dimension);
    const counts = new Float64Array(states.length);
    const drawn = read(model.sampleLatents(theta, randomKey(3), draws));
    for (let i = 0; i < draws; i++) {
      const state = Array.from({ length: 5 }, (_, d) => drawn[5 * i + d]! << d).reduce((sum, bit) => sum + bit, 0);
      counts[state]!++;
    }
    const prior = read(model.logPrior(theta, tf.expandDims(flat(states), 1) as Tensor3D)).map(Math.exp);
    prior.forEach((p, s) => {
      expect(Math.abs(counts[s]! / draws - p), `state ${s}`).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / draws));
    });
  });

  it("starts at even odds above and, given the data, at each bit's mean below", () => {
    const model = sigmoidBeliefNetwork({ layers: [2, 3], observed: 3, hidden: [4] });
    const x = tf.tensor2d([
      [1, 0, 1],
      [1, 0, 0],
    ]);
    const theta = model.init(randomKey(1), x);
    expect(Array.from(theta.prior.dataSync())).toEqual([0, 0, 0]);
    const zeroed = {
      ...theta,
      decoders: theta.decoders.map(({ layers }) => ({
        layers: layers.map(({ weights, bias }) => ({ weights: tf.zerosLike(weights), bias })),
      })),
    };
    expectClose(read(model.decode(zeroed, tf.ones([1, 5]))), [0.999, 0.001, 0.5], 1e-5);
    const z = tf.ones([4, 5]);
    expectNoLeak(() => model.decode(theta, z));
    expectNoLeak(() => model.sampleLatents(theta, randomKey(1), 3));
  });

  it.each([
    ["scoreFunction", scoreFunction(), elbo, 1],
    ["leave-one-out", scoreFunction({ baseline: leaveOneOut }), elbo, 3],
    ["VIMCO", scoreFunction({ baseline: vimco }), iwae, 3],
    ["arm", arm, elbo, 2],
    ["rebar", rebar({ temperature: 0.5 }), elbo, 2],
    ["rebar, leave-one-out scale", rebar({ temperature: 0.3, scale: "leaveOneOut" }), elbo, 3],
  ] as const)(
    "takes %s, whose mean is the exact gradient of all parameters",
    async (_name, gradient, bound, samples) => {
      const given = networkCase({ layers: [2, 2], hidden: [2] }, bound, samples);
      expectUnbiased(await checked(gradient, given, { bound, samples, seed: 1, replicates: 500 }));
    },
  );

  it("takes a learned baseline, which leaves the mean and cuts the variance of one draw", async () => {
    const given = networkCase({ layers: [2, 2], hidden: [2] });
    const problem = withLearnedBaseline({
      problem: given.problem,
      baseline: ({ level }: { level: tf.Tensor1D }) => level,
    });
    const level = tf.tensor1d(given.values);
    const beside = <T>(q: T, psi: tf.Tensor1D) => ({ q, baseline: { level: psi } });
    const learned = await checked(
      learnedBaseline(),
      {
        problem,
        theta: given.theta,
        phi: beside(given.phi, level),
        exact: { theta: given.exact.theta, phi: beside(given.exact.phi, tf.zeros([3]) as tf.Tensor1D) },
      },
      { bound: elbo, samples: 1, seed: 2, replicates: 500 },
    );
    expectUnbiased(learned);
    const naive = await checked(scoreFunction(), given, { bound: elbo, samples: 1, seed: 2, replicates: 500 });
    const ofQ = learned.components.filter(({ name }) => name.startsWith("phi.q"));
    expect(ofQ.reduce((sum, { variance }) => sum + variance, 0)).toBeLessThan(phiVariance(naive) / 2);
  });

  it("shows the bias of the relaxed gradients, straight through in φ alone", async () => {
    const given = networkCase({ layers: [2, 2], hidden: [2] });
    const at = { bound: elbo, samples: 8, seed: 3, replicates: 500 };
    const relaxed = await checked(gumbelSoftmax({ temperature: 1 }), given, at);
    const through = await checked(straightThrough({ temperature: 0.3 }), given, at);
    expect(relaxed.verdict, String(relaxed)).toBe("biased");
    expect(relaxed.components.some(({ name, bias }) => name.startsWith("theta") && Math.abs(bias) > 4)).toBe(true);
    expect(through.verdict, String(through)).toBe("biased");
    for (const { name, bias } of through.components)
      if (name.startsWith("theta")) expect(Math.abs(bias), name).toBeLessThan(4);
  });

  it("runs compiled as eager under the estimators that look at its logits", () => {
    for (const gradient of [arm, rebar({ temperature: 0.5 }), gumbelSoftmax({ temperature: 0.5 })])
      expectCompiled(gradient, networkCase({ layers: [2, 2], hidden: [2] }), { bound: elbo, samples: 2 });
  });

  it("refuses an empty list of layers, and latents or data of another width", () => {
    expect(() => sigmoidBeliefNetwork({ layers: [], observed: 3 })).toThrow("the list of layers is empty");
    expect(() => sigmoidBeliefNetwork({ layers: [0], observed: 3 })).toThrow("every size must be a positive integer");
    const model = sigmoidBeliefNetwork({ layers: [2], observed: 3 });
    const theta = model.init(randomKey(1));
    const z = tf.zeros([1, 1, 2]) as Tensor3D;
    expect(() => model.logJoint(theta, z, tf.zeros([1, 4]))).toThrow("sigmoidBeliefNetwork: x has the shape [1, 4]");
    expect(() => model.logPrior(theta, tf.zeros([1, 1, 3]))).toThrow("sigmoidBeliefNetwork: z has the shape [1, 1, 3]");
    expect(() => model.init(randomKey(1), tf.zeros([0, 3]))).toThrow("sigmoidBeliefNetwork: the data are empty");
  });
});
