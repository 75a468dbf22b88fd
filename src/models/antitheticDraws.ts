import type { Distribution } from "../distributions/distribution.js";
import { Independent } from "../distributions/independent.js";
import { Laplace } from "../distributions/laplace.js";
import { MultivariateNormal } from "../distributions/multivariateNormal.js";
import { Normal } from "../distributions/normal.js";
import { Uniform } from "../distributions/uniform.js";
import type { Key } from "../engine/random.js";
import { type Tensor, tf } from "../engine/tf.js";

/**
 * K draws in K/2 pairs, z and 2μ − z: each is a draw of q, and what is odd about μ averages out of a pair exactly.
 *
 * @returns `[K, ...batch, ...event]`; draw K/2 + k mirrors draw k.
 * @throws Error if K is not a positive even integer, or if q is not known to be symmetric about its mean.
 */
export function antitheticDraws(distribution: Distribution, key: Key, samples: number): Tensor {
  if (!Number.isInteger(samples) || samples < 2 || samples % 2 === 1) {
    throw new Error(
      `Antithetic draws come in pairs: the number of samples K must be positive and even, not ${samples}.`,
    );
  }
  if (!isSymmetric(distribution)) {
    throw new Error(
      "Antithetic draws mirror q in its mean, and this q is not known to be symmetric about it; use a Gaussian, Laplace or uniform q, or independent draws.",
    );
  }
  return tf.tidy(() => {
    const half = distribution.sample(key, [samples / 2]);
    return tf.concat([half, tf.sub(tf.mul(2, distribution.mean()), half)], 0);
  });
}

function isSymmetric(distribution: Distribution): boolean {
  if (distribution instanceof Independent) return isSymmetric(distribution.base);
  return [Normal, MultivariateNormal, Laplace, Uniform].some((known) => distribution instanceof known);
}
