import { beforeAll, describe, expect, it } from "vitest";
import { mean, standardError } from "../../src/diagnostics/moments.js";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { disposeParameters, type Parameters } from "../../src/engine/parameters.js";
import { randomKey } from "../../src/engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { valuesOf } from "../../src/engine/values.js";
import { hierarchicalLaplace } from "../../src/families/hierarchicalLaplace.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { exactReverse, mixingReverse } from "../../src/families/reverseConditional.js";
import { sampleHierarchy } from "../../src/marginals/marginal.js";
import {
  exactReverseSampler,
  hmcReverseSampler,
  importanceReverseSampler,
  marginalScore,
  ownReverseSampler,
  type ReverseSampler,
} from "../../src/marginals/reverseSampler.js";
import { kolmogorovSmirnov, normalCdf } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

const family = hierarchicalLinearGaussian({ dimension: 2 });
const [a, b, sigma] = [1.5, -0.4, 0.7];
const total = a * a + sigma * sigma;
const phi = () => ({
  slope: tf.fill([1, 2], a) as Tensor2D,
  shift: tf.fill([1, 2], b) as Tensor2D,
  logScale: tf.fill([1, 2], Math.log(sigma)) as Tensor2D,
});
const samplers = [
  exactReverseSampler({ samples: 2 }),
  ownReverseSampler,
  importanceReverseSampler({ reverse: exactReverse, samples: 3 }),
  importanceReverseSampler({ reverse: mixingReverse({ shared: true }), samples: 3 }),
  hmcReverseSampler({ samples: 2 }),
].map((sampler) => sampler as ReverseSampler<Parameters>);

describe("draws of the reverse conditional", () => {
  it.each([
    ["exact", exactReverseSampler()],
    ["own", ownReverseSampler],
    ["HMC", hmcReverseSampler({ burnIn: 1, samples: 1 })],
  ] as const)("have its law: %s", (_name, sampler) => {
    const reverse = sampler as ReverseSampler<Parameters>;
    const standardised = tf.tidy(() => {
      const hierarchy = family.hierarchy(phi());
      const { z, psi: psi0 } = sampleHierarchy(hierarchy, randomKey(1), 5000);
      const { psi } = reverse.sample(reverse.init(randomKey(2)), { hierarchy, z, psi0, key: randomKey(3) });
      expect(psi.shape).toEqual([1, 5000, 1, 2]);
      const centre = tf.mul(tf.sub(z, b), a / total);
      return Array.from(tf.mul(tf.sub(psi, centre), Math.sqrt(total) / sigma).dataSync());
    });
    expect(kolmogorovSmirnov(standardised, normalCdf)).toBeLessThan(1.95);
  });

  it("carry weights that sum to one, and are constants to what is differentiated around them", () => {
    for (const reverse of samplers) {
      const eta = reverse.init(randomKey(2));
      const parameters = { ...phi(), z: tf.fill([4, 1, 2], 0.3) as Tensor3D };
      const { gradient, value } = valueAndGradient(({ z, ...q }) => {
        const hierarchy = family.hierarchy(q);
        const draws = reverse.sample(eta, { hierarchy, z, psi0: tf.zerosLike(z), key: randomKey(3) });
        const score = marginalScore({ hierarchy, z, draws });
        expect(score.shape).toEqual([4, 1, 2]);
        if (draws.weights) {
          expect(draws.weights.shape).toEqual([3, 4, 1]);
          for (const sum of tf.sum(draws.weights, 0).dataSync()) expect(sum).toBeCloseTo(1, 5);
        }
        return tf.add(tf.sum(score), tf.mul(0, tf.sum(z)));
      }, parameters);
      for (const tensor of Object.values(gradient)) expect(tensor.abs().sum().dataSync()[0], reverse.name).toBe(0);
      value.dispose();
      disposeParameters(gradient);
      disposeParameters(parameters);
      disposeParameters(eta);
    }
  });
});

describe("the score of the marginal", () => {
  it("is −(z − b)/(a² + σ²) on average, exactly so with a Gaussian's mean of ψ", () => {
    const truth = -(0.8 - b) / total;
    const scores = valuesOf(() => {
      const hierarchy = family.hierarchy(phi());
      const z = tf.fill([4000, 1, 2], 0.8) as Tensor3D;
      const inputs = { hierarchy, z, psi0: tf.zerosLike(z), key: randomKey(3) };
      const draws = exactReverseSampler().sample({}, inputs);
      const atMean = { psi: tf.fill([1, 4000, 1, 2], (a * (0.8 - b)) / total) };
      for (const value of marginalScore({ ...inputs, draws: atMean }).dataSync()) expect(value).toBeCloseTo(truth, 5);
      return marginalScore({ ...inputs, draws });
    });
    expect(Math.abs(mean(scores) - truth)).toBeLessThan(4 * standardError(scores));
  });

  it("is −sign(z) of a Laplace, whose reverse conditional is inverse Gaussian", () => {
    const laplace = hierarchicalLaplace({ dimension: 1 });
    const q = laplace.init(randomKey(1));
    const scores = valuesOf(() => {
      const hierarchy = laplace.hierarchy(q);
      const z = tf.fill([4000, 1, 1], 0.6) as Tensor3D;
      const draws = exactReverseSampler({ samples: 5 }).sample(
        {},
        { hierarchy, z, psi0: tf.zerosLike(z), key: randomKey(4) },
      );
      return marginalScore({ hierarchy, z, draws });
    });
    expect(Math.abs(mean(scores) + 1)).toBeLessThan(4 * standardError(scores));
    disposeParameters(q);
  });

  it("leaves nothing behind", () => {
    for (const reverse of samplers) {
      const [q, eta] = [phi(), reverse.init(randomKey(1))];
      const before = tf.memory().numTensors;
      const score = tf.tidy(() => {
        const hierarchy = family.hierarchy(q);
        const { z, psi: psi0 } = sampleHierarchy(hierarchy, randomKey(1), 3);
        const draws = reverse.sample(eta, { hierarchy, z, psi0, key: randomKey(2) });
        return marginalScore({ hierarchy, z, draws });
      });
      expect(tf.memory().numTensors, reverse.name).toBe(before + 1);
      score.dispose();
      disposeParameters(q);
      disposeParameters(eta);
    }
  });
});

it("says what is wrong with its options and with what a hierarchy lacks", () => {
  expect(() => exactReverseSampler({ samples: 0 })).toThrow("samples must be an integer of at least 1, not 0");
  expect(() => importanceReverseSampler({ reverse: exactReverse, samples: 1.5 })).toThrow("at least 1, not 1.5");
  expect(() => hmcReverseSampler({ burnIn: -1 })).toThrow("burnIn must be an integer of at least 0, not -1");
  expect(() => hmcReverseSampler({ samples: 0 })).toThrow("samples must be an integer of at least 1, not 0");
  expect(() => hmcReverseSampler({ leapfrogSteps: 0 })).toThrow("leapfrogSteps must be an integer of at least 1");
  expect(() => hmcReverseSampler({ stepSize: 0 })).toThrow("stepSize must be positive and finite, not 0");
  expect(() => hmcReverseSampler({ targetAcceptance: 1 })).toThrow('between 0 and 1, or "none", not 1');
  expect(() => hmcReverseSampler({ jitter: 1 })).toThrow("jitter must be in [0, 1), not 1");
  tf.tidy(() => {
    const { mixing, conditional } = family.hierarchy(phi());
    const z = tf.zeros([1, 1, 2]) as Tensor3D;
    const noReverse = { hierarchy: { mixing, conditional }, z, psi0: z, key: randomKey(1) };
    expect(() => exactReverseSampler().sample({}, noReverse)).toThrow(
      "does not know q(ψ | z, x); use hmcReverseSampler",
    );
    const { sample, reparameterised } = mixing;
    const implicit = { mixing: { sample, reparameterised }, conditional };
    const hmc = hmcReverseSampler();
    expect(() => hmc.sample(hmc.init(randomKey(1)), { ...noReverse, hierarchy: implicit })).toThrow(
      "a sampler without a density",
    );
  });
});
