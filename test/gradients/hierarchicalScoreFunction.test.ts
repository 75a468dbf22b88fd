import { beforeAll, describe, expect, it } from "vitest";
import type { Bound } from "../../src/bounds/bound.js";
import { elbo } from "../../src/bounds/elbo.js";
import { estimateBound } from "../../src/bounds/estimateBound.js";
import { iwae } from "../../src/bounds/iwae.js";
import { Bernoulli } from "../../src/distributions/bernoulli.js";
import { Independent } from "../../src/distributions/independent.js";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { leaves, type Parameters } from "../../src/engine/parameters.js";
import { randomKey, split } from "../../src/engine/random.js";
import { type Scalar, type Tensor1D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import { hierarchical } from "../../src/families/hierarchical.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { mixtureGaussian } from "../../src/families/mixtureGaussian.js";
import { parameterConditional } from "../../src/families/parameterConditional.js";
import { leaveOneOut, vimco } from "../../src/gradients/baselines.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { hierarchicalScoreFunction } from "../../src/gradients/hierarchicalScoreFunction.js";
import {
  type HierarchicalProblem,
  hierarchicalDensityProblem,
  initialParameters,
} from "../../src/marginals/hierarchicalProblem.js";
import { type HierarchicalDraws, hvm, iwhvi, type Marginal, sivi } from "../../src/marginals/marginal.js";
import type { Problem } from "../../src/models/problem.js";
import { adam } from "../../src/optimize/adam.js";
import { fit as maximise } from "../../src/optimize/fit.js";
import { backends, expectClose, read } from "../engine/support.js";
import {
  expectMixture,
  logMixture,
  logNormal,
  mixtureOf,
  normalNodes,
  slopesAt,
} from "../marginals/hierarchicalTruth.js";
import { type Case, checked, expectCompiled, expectUnbiased, gaussianCase, phiVariance } from "./support.js";

beforeAll(async () => {
  await ready();
});

type HierarchicalCase = Case<Parameters, Parameters, HierarchicalDraws>;

const logSum = (...terms: number[]): number => {
  const most = Math.max(...terms);
  return most + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - most), 0));
};

/** log p(x, z) = −½ (z − 1)² − .1 z⁴. */
const logDensity = (z: tf.Tensor): tf.Tensor =>
  tf.tidy(() => {
    const at = tf.squeeze(z, [-1]);
    const square = tf.square(at);
    return tf.sub(tf.mul(-0.5, tf.square(tf.sub(at, 1))), tf.mul(0.1, tf.square(square)));
  });
const reverse = gaussianReverse({ latent: 1, mixing: 1, hidden: [], fromMixing: false });

/** ψ ~ N(0, 1), z | ψ ~ N(aψ + b, σ²), τ(ψ | z) = N(w z + v, exp(2 (u z + t))), with the gradient of the bound of M weights by quadrature in all draws. */
function gaussianHierarchy(bound: Bound, latents: number, draws: 0 | 1): HierarchicalCase {
  const family = hierarchicalLinearGaussian({ dimension: 1 });
  const phi = {
    q: { slope: tf.tensor2d([[0.8]]), shift: tf.tensor2d([[0.3]]), logScale: tf.tensor2d([[-0.5]]) },
    tau: { layers: [{ weights: tf.tensor2d([[0.6, 0.1]]), bias: tf.tensor1d([-0.2, -0.3]) as Tensor1D }] },
  };
  const each = 2 + draws;
  const inAll = bound === elbo ? 1 : latents; // the ELBO's terms are alike
  const nodes = normalNodes(inAll === 1 ? 24 : 12, each * inAll);
  const exact = slopesAt(phi, ([a, b, logScale, w, u, v, t]) => {
    const logTau = (psi: number, z: number): number => logNormal(psi, w! * z + v!, Math.exp(u! * z + t!));
    const weight = (z: number, psi: number): number =>
      logNormal(psi, 0, 1) + logNormal(z, a! * psi + b!, Math.exp(logScale!)) - logTau(psi, z);
    const logWeight = ([e, own, fresh]: number[]): number => {
      const z = a! * e! + b! + Math.exp(logScale!) * own!;
      const all = [weight(z, e!)];
      if (draws === 1) all.push(weight(z, w! * z + v! + Math.exp(u! * z + t!) * fresh!));
      return -((z - 1) ** 2) / 2 - 0.1 * z ** 4 - (logSum(...all) - Math.log(1 + draws));
    };
    return nodes.reduce((sum, { at, p }) => {
      const logs = Array.from({ length: inAll }, (_, m) => logWeight(at.slice(m * each, (m + 1) * each)));
      return sum + p * (logSum(...logs) - Math.log(inAll));
    }, 0);
  });
  return {
    problem: hierarchicalDensityProblem({ logDensity, family, marginal: iwhvi({ reverse, samples: draws }) }) as never,
    theta: {},
    phi,
    exact: { theta: {}, phi: exact },
  };
}

/** log p(x, z) of the bits 00, 01, 10 and 11. */
const table = [0.2, -1.1, -0.7, 0.9];

/** Two bits whose logits are λ, of which q(λ) makes a mixture or a Gaussian: bits that depend on each other. */
function bits(of: "mixture" | "Gaussian"): HierarchicalCase {
  const mixing: Parameters =
    of === "mixture"
      ? {
          logits: tf.tensor2d([[0.3, -0.2]]),
          means: tf.tensor3d([
            [
              [1, 0.6],
              [-0.8, -1.1],
            ],
          ]) as Tensor3D,
          logScales: tf.tensor3d([
            [
              [-0.3, -0.5],
              [0.1, -0.4],
            ],
          ]) as Tensor3D,
        }
      : { mean: tf.tensor2d([[0.5, -0.4]]), logScale: tf.tensor2d([[-0.2, 0.1]]) };
  const phi = {
    q: { mixing, conditional: {} },
    tau: {
      layers: [
        {
          weights: tf.tensor2d([
            [0.5, 0.2, 0.1, -0.1],
            [-0.3, 0.7, 0, 0.2],
          ]),
          bias: tf.tensor1d([0.1, -0.4, 0.2, 0.1]) as Tensor1D,
        },
      ],
    },
  };
  const family = hierarchical({
    mixing: (of === "mixture"
      ? mixtureGaussian({ dimension: 2, components: 2 })
      : meanFieldGaussian({ dimension: 2 })) as never,
    conditional: bernoulli,
  });
  const nodes = normalNodes(24, 2);
  const states = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ] as const;
  const count = of === "mixture" ? 10 : 4;
  const exact = slopesAt(phi, (all) => {
    const own =
      of === "mixture"
        ? mixtureOf(all.slice(0, 2), all.slice(2, 6), all.slice(6, 10))
        : mixtureOf([0], all.slice(0, 2), all.slice(2, 4));
    const [w, b] = [all.slice(count, count + 8), all.slice(count + 8)];
    const output = ([x, y]: readonly [number, number], o: number): number => w[o]! * x + w[4 + o]! * y + b[o]!;
    return expectMixture(own, nodes, (lambda) =>
      states.reduce((sum, z, i) => {
        const logZ = z.reduce<number>(
          (log, bit, d) => log - Math.log1p(Math.exp(bit === 1 ? -lambda[d]! : lambda[d]!)),
          0,
        );
        const logR = lambda.reduce((log, l, d) => log + logNormal(l, output(z, d), Math.exp(output(z, 2 + d))), 0);
        return sum + Math.exp(logZ) * (table[i]! - logZ - logMixture(own, lambda) + logR);
      }, 0),
    );
  });
  const [c0, c2, c1, c12] = [
    table[0]!,
    table[1]! - table[0]!,
    table[2]! - table[0]!,
    table[3]! - table[2]! - table[1]! + table[0]!,
  ];
  return {
    problem: hierarchicalDensityProblem({
      logDensity: (z) => {
        const [first, second] = tf.unstack(z, -1);
        const linear = tf.add(tf.mul(c1, first!), tf.mul(c2, second!));
        return tf.add(tf.add(linear, tf.mul(c12, tf.mul(first!, second!))), c0);
      },
      family: family as never,
      marginal: hvm({ reverse: gaussianReverse({ latent: 2, mixing: 2, hidden: [], fromMixing: false }) }),
    }) as never,
    theta: {},
    phi,
    exact: { theta: {}, phi: exact },
  };
}

const bernoulli = parameterConditional({
  latent: 2,
  sizes: [2],
  law: ([logits]) => new Independent({ base: new Bernoulli({ logits: logits! }), eventRank: 1 }),
});

describe("hierarchicalScoreFunction", () => {
  for (const mixing of ["score", "path"] as const) {
    it.each([undefined, true, false])(
      `has the gradient of the mended bound, by ${mixing}, minusOne: %s`,
      async (minusOne) => {
        const given = gaussianHierarchy(elbo, 8, 0);
        const gradient = hierarchicalScoreFunction({ mixing, ...(minusOne !== undefined && { minusOne }) });
        expectUnbiased(await checked(gradient, given, { bound: elbo, samples: 8, seed: 1, replicates: 400 }));
      },
    );

    it(`has it with a draw of τ beside ψ_0, and for two weights of IWAE, by ${mixing}`, async () => {
      const one = gaussianHierarchy(elbo, 8, 1);
      expectUnbiased(
        await checked(hierarchicalScoreFunction({ mixing }), one, {
          bound: elbo,
          samples: 8,
          seed: 2,
          replicates: 400,
        }),
      );
      const two = gaussianHierarchy(iwae, 2, 0);
      for (const gradient of [
        hierarchicalScoreFunction({ mixing }),
        hierarchicalScoreFunction({ mixing, baseline: vimco }),
      ])
        expectUnbiased(await checked(gradient, two, { bound: iwae, samples: 2, seed: 3, replicates: 600 }));
    });
  }

  it("differs with the −1 by the mean score of its draws, ψ's and z's, and by nothing else", () => {
    const { problem, theta, phi } = bits("Gaussian");
    const own = problem as HierarchicalProblem<Record<string, never>, Parameters, Parameters>;
    const at = { problem, theta, phi, bound: elbo, samples: 5, key: randomKey(6) };
    const flat = (record: Parameters): number[] => leaves(record).flatMap(({ tensor }) => read(tensor));
    const [kept, dropped] = [true, false].map((minusOne) =>
      flat(estimateGradient(hierarchicalScoreFunction({ minusOne }), at).gradient.phi),
    );
    const { q } = phi as { q: Parameters };
    const { z, psi } = own.sample(phi as never, split(at.key)[0]!, 5);
    const { value, gradient } = valueAndGradient((at) => {
      const { mixing, conditional } = own.hierarchy(at);
      return tf.div(tf.sum(tf.add(mixing.logProb!(psi), conditional(psi).logProb(z))), 5) as Scalar;
    }, q);
    value.dispose();
    const score = flat(gradient);
    expectClose(
      kept!.slice(0, score.length),
      dropped!.slice(0, score.length).map((slope, i) => slope - score[i]!),
      1e-5,
    );
    expectClose(kept!.slice(score.length), dropped!.slice(score.length), 1e-6); // τ's
  });

  it("has it for bits, whose law no path runs through, with less variance along λ's path", async () => {
    expectUnbiased(
      await checked(hierarchicalScoreFunction(), bits("mixture"), {
        bound: elbo,
        samples: 8,
        seed: 4,
        replicates: 400,
      }),
    );
    const at = { bound: elbo, samples: 8, seed: 5, replicates: 400 };
    const given = bits("Gaussian");
    const naive = expectUnbiased(await checked(hierarchicalScoreFunction(), given, at));
    const path = expectUnbiased(await checked(hierarchicalScoreFunction({ mixing: "path" }), given, at));
    expect(phiVariance(path)).toBeLessThan(phiVariance(naive));
    const centred = expectUnbiased(await checked(hierarchicalScoreFunction({ baseline: leaveOneOut }), given, at));
    expect(phiVariance(centred)).toBeLessThan(phiVariance(naive));
  });

  it("climbs in compiled steps for a q that no path runs through", async () => {
    const given = bits("mixture");
    const problem = given.problem as Problem<Record<string, never>, Parameters, HierarchicalDraws>;
    const { phi } = await maximise({
      problem,
      init: { phi: given.phi },
      bound: elbo,
      samples: 32,
      gradient: hierarchicalScoreFunction({ baseline: leaveOneOut }),
      optimizer: adam({ learningRate: 0.05 }),
      steps: 100,
      key: randomKey(2),
      compile: "graph",
    });
    const at = { problem, bound: elbo, theta: {}, samples: 1, replicates: 4_000, key: randomKey(3) };
    const [before, after] = [await estimateBound({ ...at, phi: given.phi }), await estimateBound({ ...at, phi })];
    const truth = Math.log(table.reduce((sum, log) => sum + Math.exp(log), 0));
    expect(after.value).toBeGreaterThan(before.value + 0.3);
    expect(after.value).toBeLessThan(truth + 4 * after.standardError);
  });

  it("refuses what it cannot differentiate, with the remedy", () => {
    const at = { theta: {}, samples: 2, key: randomKey(1), bound: elbo };
    const mixture = bits("mixture");
    expect(() => hierarchicalScoreFunction({ mixing: "path" })({ ...mixture, ...at })).toThrow("leave mixing out");
    expect(() => hierarchicalScoreFunction()({ ...gaussianCase(2), ...at })).toThrow("or use scoreFunction");
    expect(() => hierarchicalScoreFunction({ minusOne: false })({ ...mixture, ...at, bound: iwae })).toThrow(
      "minusOne",
    );
    expect(() => hierarchicalScoreFunction({ baseline: leaveOneOut })({ ...mixture, ...at, samples: 1 })).toThrow(
      "K ≥ 2",
    );
    const family = hierarchical({ mixing: mixtureGaussian({ dimension: 2, components: 2 }), conditional: bernoulli });
    const problemOf = <Eta extends Parameters>(marginal: Marginal<Eta>) => ({
      problem: hierarchicalDensityProblem({ logDensity: (z) => tf.sum(z, -1), family, marginal }),
      phi: initialParameters(family, marginal, randomKey(1)),
    });
    expect(() => hierarchicalScoreFunction()({ ...problemOf(sivi({ samples: 2 })), ...at })).toThrow("use hvm");
    const still = {
      ...gaussianReverse({ latent: 2, mixing: 2, hidden: [], fromMixing: false }),
      reparameterised: false,
    };
    expect(() => hierarchicalScoreFunction()({ ...problemOf(iwhvi({ reverse: still, samples: 1 })), ...at })).toThrow(
      "use hvm",
    );
  });
});

describe.each(backends)("hierarchicalScoreFunction on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it("runs compiled as eager and leaves nothing behind", () => {
    for (const mixing of ["score", "path"] as const) {
      expectCompiled(hierarchicalScoreFunction({ mixing }), gaussianHierarchy(elbo, 1, 1), { bound: elbo, samples: 4 });
      expectCompiled(hierarchicalScoreFunction({ mixing }), bits("Gaussian"), { bound: iwae, samples: 4 });
    }
    expectCompiled(hierarchicalScoreFunction(), bits("mixture"), { bound: elbo, samples: 4 });
  });
});
