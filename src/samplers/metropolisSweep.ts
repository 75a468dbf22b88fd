import { onOwnTape } from "../engine/ownTape.js";
import { type Key, normal, split, uniform } from "../engine/random.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";

/**
 * Positions `[C, D]` to `[C, D]`: under each coordinate the terms of the log-density that hold it, its Markov blanket's, summed; whatever does not depend on
 * the coordinate may stand there too, or not.
 */
export type Blankets = (position: Tensor2D) => Tensor;

/** What a sweep of Metropolis within Gibbs depends on. */
export interface MetropolisSweepOptions {
  readonly blankets: Blankets;
  /** Sets of coordinates, each coordinate in one, no two of a set in a common term. */
  readonly sets: readonly (readonly number[])[];
  /** `[C, D]`. */
  readonly position: Tensor2D;
  /** Standard deviations of the proposals, `[D]`. */
  readonly stepSizes: Tensor1D;
  readonly key: Key;
}

/** What a sweep of Metropolis within Gibbs leaves. */
export type MetropolisSweep = {
  /** `[C, D]`. */
  readonly position: Tensor2D;
  /** min(1, p(z′)/p(z)) of every coordinate's proposal, `[C, D]`. */
  readonly acceptanceProbability: Tensor2D;
};

/**
 * One sweep of Metropolis within Gibbs, set after set: every coordinate d of a set proposes z′_d = z_d + s_d ε, ε ~ N(0, 1), and moves there with probability
 *
 * α_d = min(1, exp[b_d(z′) − b_d(z)]),
 *
 * where b_d sums the terms of log p that hold z_d. No two coordinates of a set share a term, so b_d(z′), with the whole set moved, is that with z_d moved alone: given the
 * rest they are independent, and the set's updates are as many exact Metropolis steps side by side. A proposal at which b_d is NaN or −∞ is refused.
 * Pure, and part of a compiled step. It takes two evaluations of the blankets a set, made as one on 2C rows.
 *
 * Source: Metropolis et al. 1953; Tierney 1994, section 2.4 (componentwise); Ranganath, Gerrish & Blei 2014, section 5.1 (as the comparison with BBVI).
 */
export function metropolisSweep(options: MetropolisSweepOptions): MetropolisSweep {
  const { blankets, sets, stepSizes, key } = options;
  const { shape } = options.position;
  return onOwnTape(() => {
    const [noiseKey, acceptKey] = split(key);
    const moves = tf.mul(normal(noiseKey, shape), stepSizes) as Tensor2D;
    // 1 − U lies in (0, 1]: its logarithm is finite, and below 0 but for U = 0, which accepts what is no worse.
    const thresholds = tf.log(tf.sub(1, uniform(acceptKey, shape)));
    let position = options.position;
    let probabilities = tf.zeros(shape) as Tensor2D;
    for (const set of sets) {
      const inSet = tf.tensor1d(maskOf(set, shape[1]));
      const moved = tf.mul(moves, inSet);
      const both = blankets(tf.concat([position, tf.add(position, moved)], 0) as Tensor2D);
      checkBlankets(both, [2 * shape[0], shape[1]]);
      const [now, next] = tf.split(both, 2, 0);
      const ratio = tf.sub(next, now);
      const accepted = tf.cast(tf.lessEqual(thresholds, ratio), "float32"); // which NaN is not
      const known = tf.where(tf.equal(ratio, ratio), ratio, tf.fill(shape, Number.NEGATIVE_INFINITY));
      probabilities = tf.add(probabilities, tf.mul(inSet, tf.exp(tf.minimum(known, 0))));
      position = tf.add(position, tf.mul(accepted, moved));
    }
    return { position, acceptanceProbability: probabilities };
  });
}

function maskOf(set: readonly number[], dimension: number): Float32Array {
  const mask = new Float32Array(dimension);
  for (const d of set) mask[d] = 1;
  return mask;
}

/** @internal */
export function checkBlankets({ shape }: Tensor, expected: readonly number[]): void {
  if (shape.length === expected.length && shape.every((size, axis) => size === expected[axis])) return;
  throw new Error(
    `metropolisWithinGibbs: blankets must map positions [${expected}] to a log-density for each coordinate, [${expected}], but returned [${shape}]; for one coordinate alone keep its axis.`,
  );
}
