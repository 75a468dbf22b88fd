import { exponential, type Key, split } from "../engine/random.js";
import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { checkPositive, checkReal, fill } from "./check.js";
import type { Distribution } from "./distribution.js";

/** Parameters of a {@link Laplace}. */
export interface LaplaceOptions {
  /** μ, of any shape. */
  readonly location: Tensor | number;
  /** b > 0; the standard deviation is √2 b. Broadcasts against the location. */
  readonly scale: Tensor | number;
}

/**
 * The Laplace distribution, elementwise: `p(x) = exp(−|x − μ|/b) / (2b)`.
 *
 * Batch shape: that of μ and b broadcast together; event shape `[]`. Samples are reparameterised as `x = μ + b (E₁ − E₂)`, the difference of
 * two standard exponentials.
 *
 * @throws Error if μ and b do not broadcast, or if b is a number that is not positive.
 */
export class Laplace implements Distribution {
  readonly parameters: LaplaceOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = true;

  constructor(options: LaplaceOptions) {
    checkReal("Laplace: location", options.location);
    checkPositive("Laplace: scale", options.scale);
    this.parameters = options;
    this.batchShape = broadcastOf("Laplace", { location: options.location, scale: options.scale });
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const { location, scale } = this.parameters;
    const shape = [...sampleShape, ...this.batchShape];
    const [right, left] = split(key);
    return tf.tidy(() => tf.add(tf.mul(tf.sub(exponential(right, shape), exponential(left, shape)), scale), location));
  }

  logProb(x: Tensor): Tensor {
    const { location, scale } = this.parameters;
    broadcastOf("Laplace.logProb", { x, location, scale });
    return tf.tidy(() => {
      const distance = tf.div(tf.abs(tf.sub(x, location)), scale);
      return tf.neg(tf.add(distance, tf.log(tf.mul(scale, 2))));
    });
  }

  /** `1 + log(2b)`. */
  entropy(): Tensor {
    return tf.tidy(() => tf.add(tf.log(tf.mul(fill(this.parameters.scale, this.batchShape), 2)), 1));
  }

  mean(): Tensor {
    return fill(this.parameters.location, this.batchShape);
  }

  /** `2b²`. */
  variance(): Tensor {
    return tf.tidy(() => tf.mul(tf.square(fill(this.parameters.scale, this.batchShape)), 2));
  }
}
