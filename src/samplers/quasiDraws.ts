import type { Distribution } from "../distributions/distribution.js";
import { Independent } from "../distributions/independent.js";
import { MultivariateNormal } from "../distributions/multivariateNormal.js";
import { Normal } from "../distributions/normal.js";
import { transformByScale } from "../distributions/triangularScale.js";
import type { Key } from "../engine/random.js";
import { type Tensor3D, tf } from "../engine/tf.js";
import { checkSamples } from "../models/problem.js";
import { quasiNormal } from "./quasiNormal.js";

/**
 * K randomised quasi-Monte-Carlo draws of a Gaussian, `[K, B, D]`, reparameterised: each is a draw of q, and together they fill q evenly.
 *
 * A K that is a power of 2 is best. The data's draws are independent of each other.
 *
 * @param distribution batch `[B]`, event `[D]`, D ≤ 53.
 * @throws Error if K is not a positive integer, if q is not a Gaussian, or if it has more than 53 dimensions.
 * Source: Buchholz, Wenzel & Mandt 2018, "Quasi-Monte Carlo variational inference".
 */
export function quasiDraws(distribution: Distribution, key: Key, samples: number): Tensor3D {
  checkSamples(samples);
  const [batch, dimension] = [distribution.batchShape[0], distribution.eventShape[0]];
  return tf.tidy(() => {
    if (distribution instanceof MultivariateNormal) {
      const { mean, scaleTril } = distribution.parameters;
      return tf.add(transformByScale(scaleTril, quasiNormal(key, [samples, batch, dimension])), mean) as Tensor3D;
    }
    if (distribution instanceof Independent && distribution.base instanceof Normal) {
      const { mean, scale } = distribution.base.parameters;
      return tf.add(tf.mul(quasiNormal(key, [samples, batch, dimension]), scale), mean) as Tensor3D;
    }
    throw new Error(
      "Quasi-Monte-Carlo draws are made of normal quantiles, and this q is not known to be a Gaussian; use a mean-field or full-rank Gaussian, or independent draws.",
    );
  });
}
