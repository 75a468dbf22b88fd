import { type Key, normal, split, uniform } from "../engine/random.js";
import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { implicitDraw } from "../ops/implicitDraw.js";
import { millsRatio } from "../ops/millsRatio.js";
import { checkPositive, fill } from "./check.js";
import type { Distribution } from "./distribution.js";
import { onSupport } from "./support.js";

/** Parameters of an {@link InverseGaussian}. */
export interface InverseGaussianOptions {
  /** μ > 0. */
  readonly mean: Tensor | number;
  /** λ > 0; broadcasts against the mean. */
  readonly shape: Tensor | number;
}

/**
 * The inverse Gaussian distribution, elementwise: `p(x) = √(λ/(2πx³)) exp(−λ(x − μ)²/(2μ²x))` for x > 0, of mean μ and variance μ³/λ.
 *
 * Batch shape: that of μ and λ broadcast together; event shape `[]`. Draws are Michael, Schucany & Haas's, reparameterised implicitly: with
 * b = √(λ/x)(x/μ + 1), and Mills' ratio R(b) = Φ(−b)/φ(b),
 *
 * ∂x/∂μ = (2λ/μ²) R(b) √(x³/λ),  ∂x/∂λ = x/λ − (2/μ) R(b) √(x³/λ),
 *
 * which is −(∂F/∂θ)/p of the cdf F(x) = Φ(√(λ/x)(x/μ − 1)) + e^(2λ/μ) Φ(−b). `log p` is −∞ where x ≤ 0. The entropy needs the exponential integral, which
 * is not here.
 *
 * @throws Error if μ and λ do not broadcast, or if one is a number that is not positive.
 * Source: Michael, Schucany & Haas 1976, "Generating random variates using transformations with multiple roots"; the gradient is that of Figurnov,
 * Mohamed & Mnih 2018, eq. 6, derived here for this law.
 */
export class InverseGaussian implements Distribution {
  readonly parameters: InverseGaussianOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = true;

  constructor(options: InverseGaussianOptions) {
    const { mean, shape } = options;
    checkPositive("InverseGaussian: mean", mean);
    checkPositive("InverseGaussian: shape", shape);
    this.parameters = options;
    this.batchShape = broadcastOf("InverseGaussian", { mean, shape });
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    return tf.tidy(() => {
      const [mean, shape] = [this.parameters.mean, this.parameters.shape].map((p) => fill(p, this.batchShape));
      return implicitDraw({
        parameters: [mean!, shape!],
        draw: () => draw(key, [mean!, shape!], [...sampleShape, ...this.batchShape]),
        slopes: (x, [mu, lambda]) => {
          const b = tf.mul(tf.sqrt(tf.div(lambda!, x)), tf.add(tf.div(x, mu!), 1));
          const tail = tf.mul(millsRatio(b), tf.mul(x, tf.sqrt(tf.div(x, lambda!))));
          return [
            () => tf.div(tf.mul(tf.mul(lambda!, 2), tail), tf.square(mu!)),
            () => tf.sub(tf.div(x, lambda!), tf.div(tf.mul(tail, 2), mu!)),
          ];
        },
      });
    });
  }

  logProb(x: Tensor): Tensor {
    const { mean, shape } = this.parameters;
    broadcastOf("InverseGaussian.logProb", { x, mean, shape });
    const density = (x: Tensor): Tensor => {
      const distance = tf.div(tf.square(tf.div(tf.sub(x, mean), mean)), x);
      const height = tf.sub(tf.log(tf.div(shape, 2 * Math.PI)), tf.mul(tf.log(x), 3));
      return tf.mul(tf.sub(height, tf.mul(shape, distance)), 0.5);
    };
    return onSupport(x, (x) => tf.greater(x, 0), 1, density);
  }

  /** @throws Error always: it needs the exponential integral. */
  entropy(): Tensor {
    throw new Error("InverseGaussian: its entropy needs the exponential integral; average −logProb over samples.");
  }

  mean(): Tensor {
    return fill(this.parameters.mean, this.batchShape);
  }

  /** `μ³/λ`. */
  variance(): Tensor {
    return tf.tidy(() => {
      const mean = fill(this.parameters.mean, this.batchShape);
      return tf.div(tf.mul(tf.square(mean), mean), this.parameters.shape);
    });
  }
}

/**
 * With ν ~ N(0, 1), λ(x − μ)²/(μ²x) = ν² has the roots μs and μ/s, s = 1 + t + √(t(t + 2)) ≥ 1 for t = μν²/(2λ), the smaller with probability s/(1 + s).
 * Written so, neither root cancels.
 */
function draw(key: Key, [mean, lambda]: readonly [Tensor, Tensor], shape: readonly number[]): Tensor {
  const [noise, choice] = split(key);
  return tf.tidy(() => {
    const t = tf.div(tf.mul(tf.square(normal(noise, shape)), mean), tf.mul(lambda, 2));
    const s = tf.add(tf.add(1, t), tf.sqrt(tf.mul(t, tf.add(t, 2))));
    const smaller = tf.less(tf.mul(uniform(choice, shape), tf.add(1, s)), s);
    return tf.mul(mean, tf.where(smaller, tf.reciprocal(s), s));
  });
}
