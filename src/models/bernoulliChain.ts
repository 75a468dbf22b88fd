import { bernoulli, split } from "../engine/random.js";
import { type Tensor1D, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { bernoulliLogDensity } from "../ops/bernoulliLogDensity.js";
import type { BernoulliProblem } from "./bernoulliProblem.js";
import { bitWeights } from "./bitWeights.js";
import type { FactorisedProblem } from "./factorisedProblem.js";

/** Parameters of a {@link bernoulliChain}'s model. */
export type ChainParameters = {
  /** a, `[N]`. */
  readonly bias: Tensor1D;
  /** w, `[N]`; the last couples to a neighbour that is held at 1. */
  readonly coupling: Tensor1D;
};

/** Parameters of a {@link bernoulliChain}'s q. */
export type ChainLogits = {
  /** l, `[B, N]`. */
  readonly logits: Tensor2D;
};

/** The numbers of a chain, for its exact values. */
export interface ChainNumbers {
  readonly bias: readonly number[];
  readonly coupling: readonly number[];
  readonly logits: readonly number[];
}

/** The chain: every bit is its own factor, with its own and its neighbours' terms. */
export type BernoulliChain = BernoulliProblem<ChainParameters, ChainLogits> &
  FactorisedProblem<ChainParameters, ChainLogits>;

/**
 * N bits in a chain, with one q for each of B copies: the smallest discrete model with Markov blankets, on which every estimator can be held to the truth.
 *
 * log p(z) = Σ_n a_n z_n + Σ_n w_n z_n z_{n+1}, z_{N+1} = 1, unnormalised; q(z) = ∏_n Ber(z_n; σ(l_n)).
 *
 * @param options.sites N ≥ 1.
 * @param options.batchSize B. Default 1.
 * @throws Error if a size is not a positive integer.
 */
export function bernoulliChain(options: { readonly sites: number; readonly batchSize?: number }): BernoulliChain {
  const { sites, batchSize = 1 } = options;
  for (const [name, size] of Object.entries({ sites, batchSize })) {
    if (!Number.isInteger(size) || size < 1)
      throw new Error(`bernoulliChain: ${name} must be a positive integer, not ${size}.`);
  }
  /** a_n z_n + w_n z_n z_{n+1}, `[K, B, N]`. */
  const terms = ({ bias, coupling }: ChainParameters, z: Tensor3D): Tensor3D => {
    const next = tf.concat([tf.slice(z, [0, 0, 1]), tf.onesLike(tf.slice(z, [0, 0, 0], [-1, -1, 1]))], 2);
    return tf.mul(z, tf.add(bias, tf.mul(coupling, next))) as Tensor3D;
  };
  return {
    batchSize,
    scale: 1,
    logits: ({ logits }) => logits,
    sample: ({ logits }, key, samples) => tf.tidy(() => bernoulli(key, tf.sigmoid(logits), [samples]) as Tensor3D),
    logP: (theta, z) => tf.tidy(() => tf.sum(terms(theta, z), -1) as Tensor2D),
    logQ: ({ logits }, z) => bernoulliLogDensity(z, logits, 1) as Tensor2D,
    sampleWithLogQ: ({ logits }, key, samples) =>
      tidied(() => {
        const z = bernoulli(split(key)[0], tf.sigmoid(logits), [samples]) as Tensor3D;
        return { z, logQ: bernoulliLogDensity(z, logits, 1) as Tensor2D, reparameterised: false };
      }),
    factors: (theta, { logits }, z) =>
      tidied(() => {
        const toLeft = tf.mul(
          tf.mul(tf.slice(z, [0, 0, 0], [-1, -1, sites - 1]), tf.slice(z, [0, 0, 1])),
          tf.slice(theta.coupling, [0], [sites - 1]),
        );
        const logP = tf.add(
          terms(theta, z),
          tf.pad(toLeft as Tensor3D, [
            [0, 0],
            [0, 0],
            [1, 0],
          ]),
        ) as Tensor3D;
        return { logP, logQ: bernoulliLogDensity(z, logits) as Tensor3D };
      }),
  };
}

/** The exact ELBO of one copy: Σ_n [a_n μ_n + w_n μ_n μ_{n+1} + H(μ_n)], μ = σ(l). */
export function exactChainElbo({ bias, coupling, logits }: ChainNumbers): number {
  const mean = logits.map((l) => 1 / (1 + Math.exp(-l)));
  return mean.reduce((sum, m, n) => {
    const entropy = -m * Math.log(m) - (1 - m) * Math.log(1 - m);
    return sum + m * (bias[n] + coupling[n] * (mean[n + 1] ?? 1)) + entropy;
  }, 0);
}

/**
 * The law of one importance weight of one copy, all 2^N states of it: what `exactIwae` and its kin take.
 */
export function chainWeightDistribution({ bias, coupling, logits }: ChainNumbers): {
  readonly logWeights: Float64Array;
  readonly probabilities: Float64Array;
} {
  const sites = logits.length;
  const logP = Float64Array.from({ length: 2 ** sites }, (_, state) => {
    const bit = (n: number): number => (n === sites ? 1 : (state >> n) & 1);
    return bias.reduce((sum, a, n) => sum + bit(n) * (a + coupling[n] * bit(n + 1)), 0);
  });
  return bitWeights(logP, logits);
}
