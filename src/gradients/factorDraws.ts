import type { Distribution } from "../distributions/distribution.js";
import type { ExponentialMember } from "../distributions/exponentialMember.js";
import type { Parameters } from "../engine/parameters.js";
import { type Key, split } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor3D, tf } from "../engine/tf.js";
import type { ReplaceableProblem } from "../models/factorReplacement.js";
import { logMeanExp } from "../ops/logMeanExp.js";

/** K draws of one family's coordinates, each from its own proposals, with what their scores are worth. Constants all. */
export interface FactorDraws {
  /** z′, `[K, B, n]`. */
  readonly x: Tensor;
  /** w h for each of the family's coordinates of φ, `[K, B, n]`. */
  readonly scores: Tensor[];
  /** w h (log p_n − log q_n), likewise. */
  readonly signals: Tensor[];
}

/** Where {@link factorDraws} draws. */
export interface FactorDrawsOptions<Theta extends Parameters, Phi extends Parameters> {
  readonly problem: ReplaceableProblem<Theta, Phi>;
  readonly theta: Theta;
  readonly phi: Phi;
  readonly members: readonly ExponentialMember[];
  /** τ, `[J, D]` or `[J, 1]`. */
  readonly tau: Tensor;
  /** K, a multiple of M J. */
  readonly samples: number;
  /** The other coordinates, `[M, B, D]`. */
  readonly contexts: Tensor3D;
  readonly key: Key;
}

/**
 * K draws of every coordinate by itself, K/J from each of its proposals, in M contexts that get as many of each.
 *
 * @internal
 */
export function factorDraws<Theta extends Parameters, Phi extends Parameters>(
  options: FactorDrawsOptions<Theta, Phi>,
): FactorDraws[] {
  const { problem, theta, phi, members, tau, samples, contexts, key } = options;
  const proposals = proposalsOf(members, tau);
  const keys = split(key, members.length);
  const drawn = proposals.map((laws, i) => {
    const strata = split(keys[i], laws.length).map((own, j) => laws[j].sample(own, [samples / laws.length]));
    return tf.reshape(tf.stack(strata, 1), [samples, ...strata[0].shape.slice(1)]);
  });
  const proposed = (drawn.length === 1 ? drawn[0] : tf.concat(drawn, 2)) as Tensor3D;
  const repeats = samples / contexts.shape[0];
  const z = tf.reshape(tf.tile(tf.expandDims(contexts, 1), [1, repeats, 1, 1]), proposed.shape) as Tensor3D;
  const logP = problem.replaced(theta, phi, z, proposed);
  checkShape("overdispersedFactors: what the problem's replaced returns", logP, proposed.shape);
  const blankets = stretches(members, logP, 2);
  return members.map((member, i) => {
    const x = drawn[i];
    const logQ = member.law.logProb(x);
    const weight = tf.exp(tf.sub(logQ, mixtureLogDensity(proposals[i], x)));
    const signal = tf.sub(blankets[i], logQ);
    const scores = member.scores(x).map((score) => tf.mul(weight, score));
    return { x, scores, signals: scores.map((score) => tf.mul(score, signal)) };
  });
}

/** The J proposals of every family, from τ `[J, D]` or `[J, 1]`. */
export function proposalsOf(members: readonly ExponentialMember[], tau: Tensor): Distribution[][] {
  const rows = tau.shape[0] as number;
  const own = tau.shape[1] === 1 ? members.map(() => tau) : stretches(members, tau, 1);
  // Slices, since the gradient of a split into one piece fails.
  return members.map((member, i) =>
    Array.from({ length: rows }, (_, j) => member.overdispersed(tf.slice(own[i], [j, 0], [1, -1]))),
  );
}

/** log (1/J) Σ_j r_j(x). */
export function mixtureLogDensity(laws: readonly Distribution[], x: Tensor): Tensor {
  return logMeanExp(tf.stack(laws.map((law) => law.logProb(x))), 0);
}

/** Each family's stretch of an axis of length D. */
function stretches(members: readonly ExponentialMember[], x: Tensor, axis: number): Tensor[] {
  const sizes = members.map(({ law }) => law.batchShape[1]);
  return sizes.length === 1 ? [x] : tf.split(x, sizes, axis);
}
