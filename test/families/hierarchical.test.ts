import { beforeAll, describe, expect, it } from "vitest";
import { logSumExp } from "../../src/diagnostics/logSumExp.js";
import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { ready } from "../../src/engine/backend.js";
import { disposeParameters } from "../../src/engine/parameters.js";
import { normal, randomKey } from "../../src/engine/random.js";
import { type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { tidied } from "../../src/engine/values.js";
import type { ConditionalFamily } from "../../src/families/family.js";
import { gaussianConditional } from "../../src/families/gaussianConditional.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import { hierarchical } from "../../src/families/hierarchical.js";
import type { Reverse } from "../../src/families/hierarchicalFamily.js";
import { hierarchicalLaplace } from "../../src/families/hierarchicalLaplace.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { type ImplicitMixingParameters, implicitMixing, type NoiseMap } from "../../src/families/implicitMixing.js";
import { type MeanFieldParameters, meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { exactReverse } from "../../src/families/reverseConditional.js";
import { standardNormal } from "../../src/families/standardNormal.js";
import { sampleHierarchy } from "../../src/marginals/marginal.js";
import type { NoParameters } from "../../src/models/problem.js";
import { backends, expectClose, kolmogorovSmirnov, read } from "../engine/support.js";

beforeAll(async () => {
  await ready();
});

/** E and var under exp(logDensity) on a grid, and its total mass. */
function momentsOf(logDensity: (points: Tensor2D) => tf.Tensor, low: number, high: number) {
  const rule = trapezoid(low, high, 4001);
  const values = read(tf.tidy(() => logDensity(tf.tensor2d(Float32Array.from(rule.points), [rule.points.length, 1]))));
  const logP = values.map((value, i) => value + rule.logWeights[i]);
  const mass = Math.exp(logSumExp(logP));
  const expect = (f: (x: number) => number) =>
    logP.reduce((sum, p, i) => sum + Math.exp(p) * f(rule.points[i]), 0) / mass;
  const mean = expect((x) => x);
  return { mass, mean, variance: expect((x) => (x - mean) ** 2) };
}

describe.each(backends)("hierarchicalLaplace on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });
  const family = hierarchicalLaplace({ dimension: 1 });
  const phi = () => ({ location: tf.tensor2d([[0.5]]), logScale: tf.tensor2d([[Math.log(2)]]) });

  it("mixes over a density of ψ with the moments it names", () => {
    const { mixing } = family.hierarchy(phi());
    const { mass, mean, variance } = momentsOf((psi) => mixing.logProb(psi), -40, 6);
    expect(mass).toBeCloseTo(1, 5);
    expectClose(read(mixing.mean()), [mean], 1e-4);
    expectClose(read(mixing.variance()), [variance], 1e-3);
    const v = read(mixing.sample(randomKey(1), [4000])).map(Math.exp);
    expect(kolmogorovSmirnov(v, (x) => 1 - Math.exp(-x / 2))).toBeLessThan(1.95);
  });

  it("draws z from the Laplace", () => {
    const z = read(tf.tidy(() => sampleHierarchy(family.hierarchy(phi()), randomKey(2), 4000).z));
    const cdf = (x: number) => (x < 0.5 ? Math.exp((x - 0.5) / 2) / 2 : 1 - Math.exp(-(x - 0.5) / 2) / 2);
    expect(kolmogorovSmirnov(z, cdf)).toBeLessThan(1.95);
  });

  it.each([-6, 0.5, 0.5001, 3])("knows the law of ψ given z = %d: Bayes' rule, and the draws follow it", (value) => {
    const z = tf.tensor3d([[[value]]]);
    const at = () => {
      const hierarchy = family.hierarchy(phi());
      return { hierarchy, reverse: exactReverse.given({}, { hierarchy, z }) };
    };
    const psi = () => tf.tensor([-8, -1, 0, 0.7, 3], [5, 1, 1, 1]);
    const [direct, bayes] = tf.tidy(() => {
      const { hierarchy, reverse } = at();
      const joint = tf.add(hierarchy.conditional(psi()).logProb(z), hierarchy.mixing.logProb(psi()));
      return [reverse.logProb(psi()), tf.sub(joint, hierarchy.logDensity(z))];
    });
    expectClose(read(direct), read(bayes), 2e-5);
    const n = 4000;
    const draws = read(tf.tidy(() => at().reverse.sample(randomKey(3), n)));
    const rule = trapezoid(-45, 9, 5001);
    const density = read(
      tf.tidy(() => tf.exp(at().reverse.logProb(tf.tensor(Float32Array.from(rule.points), [5001, 1, 1, 1])))),
    );
    let total = 0;
    const cumulative = density.map((p, i) => {
      total += p * Math.exp(rule.logWeights[i]);
      return total;
    });
    expect(total).toBeCloseTo(1, 4);
    const cdf = (x: number) => {
      const place = Math.max(0, Math.min(4999.999, ((x + 45) / 54) * 5000));
      const left = Math.floor(place);
      return cumulative[left] + (place - left) * (cumulative[left + 1] - cumulative[left]);
    };
    expect(kolmogorovSmirnov(draws, cdf)).toBeLessThan(1.95);
  });
});

describe("hierarchicalLinearGaussian", () => {
  it("knows q(z) and q(ψ | z): together they are the joint", () => {
    const family = hierarchicalLinearGaussian({ dimension: 3, batchSize: 2, initialScale: 0.7 });
    const [joint, product] = tf.tidy(() => {
      const start = family.init(randomKey(1));
      const hierarchy = family.hierarchy({ ...start, slope: normal(randomKey(2), [2, 3]) as Tensor2D });
      const { z, psi } = sampleHierarchy(hierarchy, randomKey(3), 4);
      const many = tf.expandDims(psi, 0);
      return [
        tf.add(hierarchy.conditional(many).logProb(z), hierarchy.mixing.logProb(many)),
        tf.add(hierarchy.reverse(z).logProb(many), hierarchy.logDensity(z)),
      ];
    });
    expect(joint.shape).toEqual([1, 4, 2]);
    expectClose(read(joint), read(product), 1e-5);
  });
});

describe("hierarchical", () => {
  it("starts with the scale asked for and leaves nothing behind", () => {
    const family = hierarchical({
      mixing: standardNormal({ dimension: 3 }),
      conditional: gaussianConditional({ latent: 2, mixing: 3, hidden: [4], initialScale: 0.3 }),
    });
    const before = tf.memory().numTensors;
    const phi = family.init(randomKey(1));
    const { shape, variance } = tidied(() => {
      const conditional = family.hierarchy(phi).conditional(tf.zeros([5, 4, 1, 3]));
      return { shape: conditional.batchShape, variance: conditional.variance() };
    });
    expect(shape).toEqual([5, 4, 1]);
    for (const value of read(variance)) expect(value).toBeCloseTo(0.09, 6);
    disposeParameters(phi);
    expect(tf.memory().numTensors).toBe(before);
    expect(() => gaussianConditional({ latent: 2, mixing: 0, hidden: [] })).toThrow(
      "mixing must be a positive integer",
    );
    expect(() => gaussianConditional({ latent: 2, mixing: 1, hidden: [], initialScale: 0 })).toThrow("initialScale");
    expect(() => standardNormal({ dimension: 1.5 })).toThrow("dimension must be a positive integer");
  });

  it("asks the mixing law for one batch entry a datum", () => {
    const conditional = gaussianConditional({ latent: 2, mixing: 3, observed: 5, hidden: [] });
    const x = tf.zeros([4, 5]) as Tensor2D;
    const one = hierarchical({
      mixing: meanFieldGaussian({ dimension: 3 }) as ConditionalFamily<MeanFieldParameters>,
      conditional,
    });
    expect(() => tf.tidy(() => void one.hierarchy(one.init(randomKey(1)), x))).toThrow("batch shape [1] for 4 data");
    const noise = hierarchical({
      mixing: standardNormal({ dimension: 3 }) as ConditionalFamily<NoParameters>,
      conditional,
    });
    const { z } = tidied(() => ({
      z: sampleHierarchy(noise.hierarchy(noise.init(randomKey(1)), x), randomKey(2), 6).z,
    }));
    expect(z.shape).toEqual([6, 4, 2]);
  });

  it("rewrites an implicit ψ = g(ε) so that ε stands in its place", () => {
    const scaled: NoiseMap<{ readonly factor: Tensor1D }> = {
      noiseDimension: 2,
      init: () => ({ factor: tf.tensor1d([3]) }),
      given:
        ({ factor }) =>
        (epsilon) =>
          tf.mul(tf.sum(epsilon, -1, true), factor),
    };
    const conditional = gaussianConditional({ latent: 1, mixing: 1, hidden: [] });
    const rewritten = implicitMixing({ map: scaled, conditional });
    expect([rewritten.mixingDimension, rewritten.dimension]).toEqual([2, 1]);
    const phi: ImplicitMixingParameters<
      { readonly factor: Tensor1D },
      ReturnType<typeof conditional.init>
    > = rewritten.init(randomKey(1));
    const family = hierarchical({ mixing: standardNormal({ dimension: 2 }), conditional: rewritten });
    const epsilon = tf.tensor3d([[[1, 0.5]]]);
    const [direct, through] = tf.tidy(() => [
      conditional
        .given(phi.conditional)(tf.tensor3d([[[4.5]]]))
        .mean(),
      family.hierarchy({ mixing: {}, conditional: phi }).conditional(epsilon).mean(),
    ]);
    expectClose(read(through), read(direct), 1e-6);
  });
});

describe("gaussianReverse", () => {
  const at = (z: Tensor3D) => ({
    hierarchy: { mixing: standardNormal({ dimension: 2 }).distribution({}), conditional: never },
    z,
  });
  const never = (): never => {
    throw new Error("τ does not look at the conditional");
  };
  const logProb = (reverse: Reverse): number[] => read(reverse.logProb(tf.zeros([1, 1, 1, 2])));

  it("elementwise, treats every coordinate alike and apart", () => {
    const reverse = gaussianReverse({ latent: 2, mixing: 2, hidden: [5], elementwise: true, fromMixing: false });
    const eta = reverse.init(randomKey(1));
    const of = (...z: number[]): number =>
      tf.tidy(() => ({ value: logProb(reverse.given(eta, at(tf.tensor3d([[z]])))) })).value[0];
    expect(of(1, -2)).toBeCloseTo(of(-2, 1), 5);
    expect(of(1, -2)).toBeCloseTo((of(1, 1) + of(-2, -2)) / 2, 5);
    expect(of(1, -2)).not.toBeCloseTo(of(1, 1), 3);
  });

  it("says what is wrong", () => {
    expect(() => gaussianReverse({ latent: 2, mixing: 3, hidden: [], elementwise: true })).toThrow("one ψ for each z");
    expect(() => gaussianReverse({ latent: 2, mixing: 0, hidden: [] })).toThrow("mixing must be a positive integer");
    const reverse = gaussianReverse({ latent: 2, mixing: 2, hidden: [] });
    const eta = reverse.init(randomKey(1));
    expect(() => tf.tidy(() => void reverse.given(eta, at(tf.zeros([1, 1, 3]) as Tensor3D)))).toThrow(
      "gaussianReverse: z",
    );
    const sampler = { mixing: { reparameterised: true, sample: never }, conditional: never };
    expect(() =>
      tf.tidy(() => void reverse.given(eta, { hierarchy: sampler, z: tf.zeros([1, 1, 2]) as Tensor3D })),
    ).toThrow("use fromMixing: false");
  });
});
