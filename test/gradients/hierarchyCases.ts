import type { Bound } from "../../src/bounds/bound.js";
import { elbo } from "../../src/bounds/elbo.js";
import { exactIwae } from "../../src/bounds/exactImportanceWeighted.js";
import { Bernoulli } from "../../src/distributions/bernoulli.js";
import { Independent } from "../../src/distributions/independent.js";
import type { Parameters } from "../../src/engine/parameters.js";
import { type Tensor1D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import { hierarchical } from "../../src/families/hierarchical.js";
import { hierarchicalLinearGaussian } from "../../src/families/hierarchicalLinearGaussian.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { mixtureGaussian } from "../../src/families/mixtureGaussian.js";
import { parameterConditional } from "../../src/families/parameterConditional.js";
import { hierarchicalDensityProblem } from "../../src/marginals/hierarchicalProblem.js";
import { type HierarchicalDraws, hvm, iwhvi } from "../../src/marginals/marginal.js";
import { logMixture, logNormal, mixtureOf, normalNodes, slopesAt } from "../marginals/hierarchicalTruth.js";
import type { Case } from "./support.js";

/** A case whose draws are those of a hierarchy. */
export type HierarchicalCase = Case<Parameters, Parameters, HierarchicalDraws>;

/** log p(x, z) = −½ (z − 1)² − .1 z⁴. */
const logDensity = (z: tf.Tensor): tf.Tensor =>
  tf.tidy(() => {
    const at = tf.squeeze(z, [-1]);
    const square = tf.square(at);
    return tf.sub(tf.mul(-0.5, tf.square(tf.sub(at, 1))), tf.mul(0.1, tf.square(square)));
  });
const reverse = gaussianReverse({ latent: 1, mixing: 1, hidden: [], fromMixing: false });

const logSum = (...terms: number[]): number => {
  const most = Math.max(...terms);
  return most + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - most), 0));
};

/**
 * ψ ~ N(0, 1), z | ψ ~ N(aψ + b, σ²), τ(ψ | z) = N(w z + v, exp(2 (u z + t))), with the gradient of the bound of M weights: by quadrature in the draws of one weight, and by
 * `exactIwae` in M of them.
 */
export function gaussianHierarchy(bound: Bound, latents: number, draws: 0 | 1): HierarchicalCase {
  const family = hierarchicalLinearGaussian({ dimension: 1 });
  const phi = {
    q: { slope: tf.tensor2d([[0.8]]), shift: tf.tensor2d([[0.3]]), logScale: tf.tensor2d([[-0.5]]) },
    tau: { layers: [{ weights: tf.tensor2d([[0.6, 0.1]]), bias: tf.tensor1d([-0.2, -0.3]) as Tensor1D }] },
  };
  const nodes = normalNodes(draws === 0 ? 24 : 16, 2 + draws);
  const probabilities = Float64Array.from(nodes, ({ p }) => p);
  const exact = slopesAt(phi, ([a, b, logScale, w, u, v, t]) => {
    const logTau = (psi: number, z: number): number => logNormal(psi, w! * z + v!, Math.exp(u! * z + t!));
    const weight = (z: number, psi: number): number =>
      logNormal(psi, 0, 1) + logNormal(z, a! * psi + b!, Math.exp(logScale!)) - logTau(psi, z);
    const logWeights = Float64Array.from(nodes, ({ at: [e, own, fresh] }) => {
      const z = a! * e! + b! + Math.exp(logScale!) * own!;
      const all = [weight(z, e!)];
      if (draws === 1) all.push(weight(z, w! * z + v! + Math.exp(u! * z + t!) * fresh!));
      return -((z - 1) ** 2) / 2 - 0.1 * z ** 4 - (logSum(...all) - Math.log(1 + draws));
    });
    return exactIwae({ logWeights, probabilities }, bound === elbo ? 1 : latents); // the ELBO's terms are alike
  });
  return {
    problem: hierarchicalDensityProblem({ logDensity, family, marginal: iwhvi({ reverse, samples: draws }) }) as never,
    theta: {},
    phi,
    exact: { theta: {}, phi: exact },
  };
}

/** log p(x, z) of the bits 00, 01, 10 and 11. */
export const bitTable = [0.2, -1.1, -0.7, 0.9];

/** Two bits whose logits are λ, of which q(λ) makes a mixture or a Gaussian: bits that depend on each other. */
export function bitHierarchy(of: "mixture" | "Gaussian", bound: Bound = elbo, latents = 1): HierarchicalCase {
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
    conditional: bernoulliGivenLogits,
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
    const law = own.flatMap(({ weight, mean, scale }) =>
      nodes.flatMap(({ at, p }) => {
        const lambda = at.map((e, d) => mean[d]! + scale[d]! * e);
        return states.map((z, i) => {
          const logZ = z.reduce<number>(
            (log, bit, d) => log - Math.log1p(Math.exp(bit === 1 ? -lambda[d]! : lambda[d]!)),
            0,
          );
          const logR = lambda.reduce((log, l, d) => log + logNormal(l, output(z, d), Math.exp(output(z, 2 + d))), 0);
          const logWeight = bitTable[i]! - logZ - logMixture(own, lambda) + logR;
          return { logWeight, probability: weight * p * Math.exp(logZ) };
        });
      }),
    );
    const logWeights = Float64Array.from(law, ({ logWeight }) => logWeight);
    const probabilities = Float64Array.from(law, ({ probability }) => probability);
    return exactIwae({ logWeights, probabilities }, bound === elbo ? 1 : latents);
  });
  const [c0, c2, c1, c12] = [
    bitTable[0]!,
    bitTable[1]! - bitTable[0]!,
    bitTable[2]! - bitTable[0]!,
    bitTable[3]! - bitTable[2]! - bitTable[1]! + bitTable[0]!,
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

/** Two bits given their logits. */
export const bernoulliGivenLogits = parameterConditional({
  latent: 2,
  sizes: [2],
  law: ([logits]) => new Independent({ base: new Bernoulli({ logits: logits! }), eventRank: 1 }),
});
