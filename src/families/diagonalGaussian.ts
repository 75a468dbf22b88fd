import type { Distribution } from "../distributions/distribution.js";
import { type Key, normal } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import { normalLogDensity } from "../ops/normalLogDensity.js";

/**
 * N(μ, diag(σ²)) as the vector distribution that the Gaussian families share: batch `[B]`, event `[D]`, reparameterised by z = μ + σ ε.
 *
 * It takes log σ, so that the entropy needs no logarithm and σ is positive by construction.
 *
 * @param mean μ, `[B, D]`.
 * @param logScale log σ, `[B, D]`.
 */
export function diagonalGaussian(mean: Tensor2D, logScale: Tensor2D): Distribution {
  checkShape("diagonalGaussian: logScale", logScale, mean.shape);
  const [batch, dimension] = mean.shape;
  const scale = tf.exp(logScale);
  return {
    batchShape: [batch],
    eventShape: [dimension],
    reparameterised: true,
    sample: (key: Key, sampleShape: readonly number[] = []) =>
      tf.tidy(() => tf.add(tf.mul(normal(key, [...sampleShape, batch, dimension]), scale), mean)),
    logProb: (x: Tensor) => normalLogDensity(x, mean, scale, 1),
    entropy: () => tf.tidy(() => tf.add(tf.sum(logScale, 1), (dimension / 2) * Math.log(2 * Math.PI * Math.E))),
    mean: () => tf.clone(mean),
    variance: () => tf.tidy(() => tf.square(scale)),
  };
}
