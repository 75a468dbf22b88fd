import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { collectLogWeights, estimateBound } from "../../src/bounds/estimateBound.js";
import { Independent } from "../../src/distributions/independent.js";
import { Normal } from "../../src/distributions/normal.js";
import type { Transformed } from "../../src/distributions/transformed.js";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { leaves, mapParameters, type Parameters } from "../../src/engine/parameters.js";
import { foldIn, normal, randomKey, split } from "../../src/engine/random.js";
import { type Scalar, type Tensor, type Tensor1D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { couplingFlow } from "../../src/families/couplingFlow.js";
import { gaussianConditional } from "../../src/families/gaussianConditional.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import { hierarchical } from "../../src/families/hierarchical.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { mixtureGaussian } from "../../src/families/mixtureGaussian.js";
import { parameterConditional } from "../../src/families/parameterConditional.js";
import { exactReverse } from "../../src/families/reverseConditional.js";
import { standardNormal } from "../../src/families/standardNormal.js";
import { leaveOneOut } from "../../src/gradients/baselines.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { scoreControlVariate } from "../../src/gradients/scoreControlVariate.js";
import { scoreFunction } from "../../src/gradients/scoreFunction.js";
import { hierarchicalLatentVariableProblem } from "../../src/marginals/hierarchicalProblem.js";
import { hierarchicalSamplingProblem } from "../../src/marginals/hierarchicalSamplingProblem.js";
import { hvm } from "../../src/marginals/marginal.js";
import { conjugateGaussian } from "../../src/models/conjugateGaussian.js";
import { densityProblem, drawLogWeights, latentVariableProblem } from "../../src/models/problem.js";
import { exp } from "../../src/ops/exp.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as maximise } from "../../src/optimize/fit.js";
import { expectClose, read } from "../engine/support.js";
import { type Case, checked, expectCompiled, expectUnbiased } from "../gradients/support.js";
import { expectMixture, logMixture, logNormal, mixtureOf, normalNodes, slopesAt } from "./hierarchicalTruth.js";

beforeAll(async () => {
  await ready();
});

/** Every test's λ of two numbers: the mean and log-scale of one z. */
const gaussianOfLambda = parameterConditional({
  latent: 1,
  sizes: [1, 1],
  law: ([mean, logScale]) =>
    new Independent({ base: new Normal({ mean: mean!, scale: exp(logScale!) }), eventRank: 1 }),
});

/** No Gaussian: log p(x, z) = −z⁴/8 − .3 z² + .6 z + .4. */
const quartic = (z: number): number => -(z ** 4) / 8 - 0.3 * z * z + 0.6 * z + 0.4;
const quarticTarget = densityProblem({
  logDensity: (z) =>
    tf.tidy(() => {
      const at = tf.squeeze(z, [-1]);
      const square = tf.square(at);
      return tf.add(tf.add(tf.mul(-1 / 8, tf.square(square)), tf.mul(-0.3, square)), tf.add(tf.mul(0.6, at), 0.4));
    }),
  family: meanFieldGaussian({ dimension: 1 }),
});

/** E_z[log p(x, z) − log q(z | λ)], exact: the target is a polynomial. */
function inner([mean, logScale]: readonly number[]): number {
  const s = Math.exp(logScale!);
  const moments = normalNodes(6, 1).reduce((sum, { at, p }) => sum + p * quartic(mean! + s * at[0]!), 0);
  return moments + logScale! + Math.log(2 * Math.PI * Math.E) / 2;
}

function mixtureCase(): Case<Parameters, Parameters, { z: Tensor3D; psi: Tensor3D }> {
  const phi = {
    mixing: {
      logits: tf.tensor2d([[0.4, -0.3]]),
      means: tf.tensor3d([
        [
          [-0.6, -0.5],
          [0.8, -0.2],
        ],
      ]) as Tensor3D,
      logScales: tf.tensor3d([
        [
          [-0.7, -1.2],
          [-0.4, -1],
        ],
      ]) as Tensor3D,
    },
    conditional: {},
  };
  const family = hierarchical({
    mixing: mixtureGaussian({ dimension: 2, components: 2 }),
    conditional: gaussianOfLambda,
  });
  const nodes = normalNodes(40, 2);
  const exact = slopesAt(phi, (all) => {
    const mixture = mixtureOf(all.slice(0, 2), all.slice(2, 6), all.slice(6, 10));
    return expectMixture(mixture, nodes, (lambda) => inner(lambda) - logMixture(mixture, lambda));
  });
  return {
    problem: hierarchicalSamplingProblem({ target: quarticTarget, family: family as never }),
    theta: {},
    phi,
    exact: { theta: {}, phi: exact },
  };
}

function meanFieldCase(): Case<Parameters, Parameters, { z: Tensor3D; psi: Tensor3D }> {
  const phi = { mixing: { mean: tf.tensor2d([[0.5, -0.4]]), logScale: tf.tensor2d([[-0.5, -1]]) }, conditional: {} };
  const family = hierarchical({ mixing: meanFieldGaussian({ dimension: 2 }), conditional: gaussianOfLambda });
  const nodes = normalNodes(30, 2);
  const exact = slopesAt(phi, (all) => {
    const mixture = mixtureOf([0], all.slice(0, 2), all.slice(2, 4));
    return expectMixture(mixture, nodes, (lambda) => inner(lambda) - logMixture(mixture, lambda));
  });
  return {
    problem: hierarchicalSamplingProblem({ target: quarticTarget, family: family as never }),
    theta: {},
    phi,
    exact: { theta: {}, phi: exact },
  };
}

/** λ the means of two coordinates, bent by a flow; the quadrature is of the flow's own noise, along the path. */
function flowCase(): Case<Parameters, Parameters, { z: Tensor3D; psi: Tensor3D }> {
  const scale = 0.6;
  const flow = couplingFlow({ dimension: 2, couplings: 2, hidden: [3] });
  const start = flow.init(randomKey(1));
  let leaf = 0;
  const mixing = mapParameters(start, (tensor) => tf.mul(normal(foldIn(randomKey(2), leaf++), tensor.shape), 0.4));
  const phi = { mixing, conditional: {} };
  const conditional = parameterConditional({
    latent: 2,
    sizes: [2],
    law: ([mean]) =>
      new Independent({ base: new Normal({ mean: mean!, scale: tf.fill([1, 2], scale) }), eventRank: 1 }),
  });
  const family = hierarchical({ mixing: flow, conditional });
  // −½ (z₁² + z₂²) − .1 (z₁ − z₂)⁴ + .5 z₁
  const logDensity = (z: Tensor): Tensor => {
    const [a, b] = tf.unstack(z, -1);
    const squares = tf.mul(-0.5, tf.add(tf.square(a!), tf.square(b!)));
    const apart = tf.mul(-0.1, tf.square(tf.square(tf.sub(a!, b!))));
    return tf.add(tf.add(squares, apart), tf.mul(0.5, a!));
  };
  const outer = normalNodes(30, 2);
  const near = normalNodes(4, 2);
  const { value, gradient } = valueAndGradient((at) => {
    const law = flow.distribution(at.mixing) as Transformed;
    const noise = tf.tensor(outer.map(({ at }) => at)); // [N, 2]
    const base = tf.add(at.mixing.base.mean, tf.mul(tf.exp(at.mixing.base.logScale), noise));
    const lambda = law.parameters.bijection.forward(tf.expandDims(base, 1)); // [N, 1, 2]
    const around = tf.mul(scale, tf.tensor(near.map(({ at }) => at))); // [M, 2]
    const logP = logDensity(tf.add(lambda, around)); // [N, M]
    const mean = tf.sum(tf.mul(logP, tf.tensor(near.map(({ p }) => p))), -1);
    const logLambda = tf.squeeze(law.logProb(lambda), [-1]);
    return tf.sum(tf.mul(tf.tensor(outer.map(({ p }) => p)), tf.sub(mean, logLambda))) as Scalar;
  }, phi);
  value.dispose();
  return {
    problem: hierarchicalSamplingProblem({
      target: densityProblem({ logDensity, family: meanFieldGaussian({ dimension: 2 }) }),
      family: family as never,
    }),
    theta: {},
    phi,
    exact: { theta: {}, phi: gradient },
  };
}

describe("the stated estimator, as written, has the gradient of the stated objective", () => {
  const priors = { "mean-field": meanFieldCase, mixture: mixtureCase, flow: flowCase };
  for (const [name, make] of Object.entries(priors)) {
    it.each([true, false])(`with a ${name} q(λ | α), minusOne: %s`, async (minusOne) => {
      const given = make();
      expectUnbiased(
        await checked(scoreFunction({ minusOne }), given, { bound: elbo, samples: 16, seed: 3, replicates: 400 }),
      );
    });
  }

  it("is the paper's last line, draw by draw", () => {
    const { problem, theta, phi } = meanFieldCase();
    const [key, samples] = [randomKey(8), 3];
    const { gradient } = estimateGradient(scoreFunction({ minusOne: true }), {
      problem,
      theta,
      phi,
      bound: elbo,
      samples,
      key,
    });
    const draws = problem.sample(phi, split(key)[0]!, samples);
    const [z, lambda] = [read(draws.z), read(draws.psi)];
    const [m, s] = [
      [0.5, -0.4],
      [Math.exp(-0.5), Math.exp(-1)],
    ] as const;
    const expected = [0, 0, 0, 0]; // ∂/∂m_1, ∂/∂m_2, ∂/∂log s_1, ∂/∂log s_2
    z.forEach((at, k) => {
      const own = lambda.slice(2 * k, 2 * k + 2);
      const logLambda = own.reduce((sum, l, d) => sum + logNormal(l, m[d]!, s[d]!), 0);
      const factor = quartic(at) - logNormal(at, own[0]!, Math.exp(own[1]!)) - logLambda - 1;
      own.forEach((l, d) => {
        const e = (l - m[d]!) / s[d]!;
        expected[d]! += (factor * e) / s[d]! / samples;
        expected[2 + d]! += (factor * (e * e - 1)) / samples;
      });
    });
    expectClose(
      leaves(gradient.phi).flatMap(({ tensor }) => read(tensor)),
      expected,
      1e-4,
    );
  });

  it("and so have a baseline, a control variate and, where it is reparameterised, the path", async () => {
    const given = meanFieldCase();
    const at = { bound: elbo, samples: 16, seed: 5 };
    const naive = expectUnbiased(await checked(scoreFunction(), given, at));
    for (const gradient of [
      scoreFunction({ baseline: leaveOneOut }),
      scoreControlVariate({ weights: "heldOut" }),
      reparameterised,
    ]) {
      const report = expectUnbiased(await checked(gradient, given, at));
      if (gradient === reparameterised) expect(report.totalVariance).toBeLessThan(naive.totalVariance);
    }
    expectUnbiased(await checked(reparameterised, flowCase(), at));
  });

  it("runs compiled as eager and leaves nothing behind", () => {
    for (const make of [meanFieldCase, mixtureCase, flowCase])
      expectCompiled(scoreFunction({ minusOne: true }), make(), { bound: elbo, samples: 4 });
  });
});

// q(z) = N(.5, .9² + .6²) for the conjugate model's posterior N(1, ½) at x = 2.
const x = 2;
const q = { slope: 0.9, shift: 0.5, scale: 0.6 };
const target = latentVariableProblem({
  model: conjugateGaussian,
  family: {
    dimension: 1,
    distribution: () => new Independent({ base: new Normal({ mean: tf.zeros([1, 1]), scale: 1 }), eventRank: 1 }),
  },
  x: tf.tensor2d([[x]]),
  scale: 1,
});
const linear = hierarchicalLinearGaussian({ dimension: 1 });
const phiOf = ({ slope, shift, scale }: typeof q) => ({
  slope: tf.tensor2d([[slope]]),
  shift: tf.tensor2d([[shift]]),
  logScale: tf.tensor2d([[Math.log(scale)]]),
});
const elboOf = ({ slope, shift, scale }: typeof q): number =>
  conjugateGaussian.elbo(x, { mean: shift, scale: Math.hypot(slope, scale) });
/** H(q(ψ | z)), the same for every z. */
const entropyOf = ({ slope, scale }: typeof q): number =>
  Math.log((2 * Math.PI * Math.E * scale ** 2) / (slope ** 2 + scale ** 2)) / 2;
const stated = (numbers: typeof q) =>
  estimateBound({
    problem: hierarchicalSamplingProblem({ target, family: linear }),
    bound: elbo,
    theta: {},
    phi: phiOf(numbers),
    samples: 1,
    replicates: 40_000,
    key: randomKey(11),
  });

describe("the stated objective", () => {
  const wide = { slope: 0.3, shift: 1, scale: 0.65 };
  const narrow = { slope: 0.7, shift: 1, scale: 0.02 };

  it("is the ELBO of q(z) plus E H(q(λ | z))", async () => {
    for (const numbers of [q, wide, narrow]) {
      const { value, standardError } = await stated(numbers);
      expect(Math.abs(value - elboOf(numbers) - entropyOf(numbers)) / standardError).toBeLessThan(4);
    }
  });

  it("exceeds log p(x) here, and is below the ELBO there", async () => {
    const above = await stated(wide);
    expect(above.value - 4 * above.standardError).toBeGreaterThan(conjugateGaussian.logEvidence(x));
    const below = await stated(narrow);
    expect(below.value + 4 * below.standardError).toBeLessThan(elboOf(narrow));
  });

  it("changes by log c when λ is measured in another unit, though q(z) does not", () => {
    const at = (unit: number): number[] => {
      const conditional = parameterConditional({
        latent: 1,
        sizes: [1],
        law: ([lambda]) =>
          new Independent({
            base: new Normal({ mean: tf.div(lambda!, unit), scale: tf.fill([1, 1], 0.5) }),
            eventRank: 1,
          }),
      });
      const family = hierarchical({ mixing: meanFieldGaussian({ dimension: 1 }), conditional });
      const phi = {
        mixing: { mean: tf.tensor2d([[0.8 * unit]]), logScale: tf.tensor2d([[Math.log(0.7 * unit)]]) },
        conditional: {},
      };
      const problem = hierarchicalSamplingProblem({ target, family });
      return read(tf.tidy(() => drawLogWeights(problem, { theta: {}, phi, samples: 50, key: randomKey(4) }).logW));
    };
    expectClose(
      at(100),
      at(1).map((logW) => logW + Math.log(100)),
      1e-4,
    );
  });
});

describe("the mended bound", () => {
  it("is at most log p(x), whatever r is, where the stated one is above", async () => {
    const numbers = { slope: 0.3, shift: 1, scale: 0.65 };
    const reverse = gaussianReverse({ latent: 1, mixing: 1, hidden: [], fromMixing: false });
    const problem = hierarchicalLatentVariableProblem({
      model: conjugateGaussian,
      family: linear,
      marginal: hvm({ reverse }),
      x: tf.tensor2d([[x]]),
      scale: 1,
    });
    for (const [w, b, logScale] of [
      [0.5, 0, -0.5],
      [0, 0, 0],
      [-1, 0.4, 0.3],
    ] as const) {
      const tau = { layers: [{ weights: tf.tensor2d([[w, 0]]), bias: tf.tensor1d([b, logScale]) as Tensor1D }] };
      const { value, standardError } = await estimateBound({
        problem,
        bound: elbo,
        theta: {},
        phi: { q: phiOf(numbers), tau },
        samples: 1,
        replicates: 20_000,
        key: randomKey(12),
      });
      expect(value).toBeLessThan(elboOf(numbers) + 4 * standardError);
      // KL(q(ψ | z) ‖ r), in expectation over z: what the bound lacks.
      const total = numbers.slope ** 2 + numbers.scale ** 2;
      const gap = normalNodes(20, 1).reduce((sum, { at, p }) => {
        const z = numbers.shift + Math.sqrt(total) * at[0]!;
        const [m, v] = [(numbers.slope * (z - numbers.shift)) / total, numbers.scale ** 2 / total];
        const s = Math.exp(logScale);
        return sum + p * (logScale - Math.log(v) / 2 + (v + (m - w * z - b) ** 2) / (2 * s * s) - 0.5);
      }, 0);
      expect(Math.abs(value - (elboOf(numbers) - gap)) / standardError).toBeLessThan(4);
    }
  });

  it("is the ELBO draw by draw where r is exact", async () => {
    const hierarchy = () => linear.hierarchy(phiOf(q));
    const problem = hierarchicalLatentVariableProblem({
      model: conjugateGaussian,
      family: linear,
      marginal: hvm({ reverse: exactReverse }),
      x: tf.tensor2d([[x]]),
      scale: 1,
    });
    const at = { theta: {}, phi: { q: phiOf(q), tau: {} }, samples: 20, key: randomKey(3) };
    const { z, logW } = drawLogWeights(problem, at);
    const expected = tf.tidy(() => tf.sub(target.logP({}, z.z), hierarchy().logDensity(z.z)));
    expectClose(read(logW), read(expected), 1e-5);
    const [weights] = await collectLogWeights({ problem, ...at, samples: 4_000 });
    const mean = weights!.reduce((sum, value) => sum + value, 0) / weights!.length;
    expect(Math.abs(mean - elboOf(q))).toBeLessThan(0.1);
  });
});

describe("hierarchicalSamplingProblem", () => {
  it("draws and weighs in one what it does in two, and leaves nothing behind", () => {
    const problem = hierarchicalSamplingProblem({ target, family: linear });
    const at = { theta: {}, phi: phiOf(q), samples: 4, key: randomKey(3) };
    const before = tf.memory().numTensors;
    const one = drawLogWeights(problem, at);
    expect(tf.memory().numTensors - before).toBe(3);
    const { sampleWithLogQ: _, ...rest } = problem;
    const two = drawLogWeights(rest, at);
    expect(read(one.logW)).toEqual(read(two.logW));
    tf.dispose([one.z.z, one.z.psi, two.z.z, two.z.psi]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("climbs in compiled steps, beyond log p(x)", async () => {
    const { phi } = await maximise({
      problem: hierarchicalSamplingProblem({ target, family: linear }),
      init: { phi: phiOf({ slope: 0.3, shift: 0.8, scale: 0.3 }) },
      bound: elbo,
      samples: 64,
      gradient: scoreFunction({ baseline: leaveOneOut }),
      optimizer: adam({ learningRate: 0.05 }),
      steps: 60,
      key: randomKey(1),
      compile: "graph",
    });
    const [slope, shift, logScale] = [phi.slope, phi.shift, phi.logScale].map((tensor) => read(tensor)[0]!);
    const found = { slope: slope!, shift: shift!, scale: Math.exp(logScale!) };
    expect(elboOf(found) + entropyOf(found)).toBeGreaterThan(conjugateGaussian.logEvidence(x) + 0.3);
  });

  it("refuses what it cannot score or weigh", () => {
    expect(() => hierarchicalSamplingProblem({ target: { ...target, klWeight: 0.5 }, family: linear })).toThrow(
      "klWeight",
    );
    const bare = hierarchicalSamplingProblem({
      target,
      family: {
        ...linear,
        hierarchy: (phi: ReturnType<typeof phiOf>) => {
          const { mixing, ...rest } = linear.hierarchy(phi);
          return { ...rest, mixing: { sample: mixing.sample.bind(mixing), reparameterised: true } };
        },
      },
    });
    const at = { theta: {}, phi: phiOf(q), samples: 2, key: randomKey(1) };
    expect(() => drawLogWeights(bare, at)).toThrow("a sampler without one");
    const wide = hierarchical({
      mixing: standardNormal({ dimension: 1, batchSize: 2 }),
      conditional: gaussianConditional({ latent: 1, mixing: 1, hidden: [] }),
    });
    const phi = wide.init(randomKey(1));
    expect(() => hierarchicalSamplingProblem({ target, family: wide }).sample(phi, randomKey(1), 3)).toThrow(
      "need [3, 1, 1]",
    );
  });
});
