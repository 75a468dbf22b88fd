import { type Key, normal } from "../engine/random.js";
import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { normalLogDensity } from "../ops/normalLogDensity.js";
import { checkPositive, checkReal, fill } from "./check.js";
import type { Distribution } from "./distribution.js";

/** Parameters of a {@link Normal}. */
export interface NormalOptions {
  /** μ, of any shape. */
  readonly mean: Tensor | number;
  /** Standard deviation σ > 0; broadcasts against the mean. */
  readonly scale: Tensor | number;
}

/**
 * The normal distribution, elementwise: `p(x) = exp(−½ ((x − μ)/σ)²) / (σ √(2π))`.
 *
 * Batch shape: that of μ and σ broadcast together; event shape `[]` (`Independent` makes vectors of it). Samples are reparameterised,
 * `x = μ + σ ε`. A parameter that is a tensor is not read, so a negative σ shows only as NaN.
 *
 * @throws Error if μ and σ do not broadcast, or if σ is a number that is not positive.
 */
export class Normal implements Distribution {
  readonly parameters: NormalOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = true;

  constructor(options: NormalOptions) {
    checkReal("Normal: mean", options.mean);
    checkPositive("Normal: scale", options.scale);
    this.parameters = options;
    this.batchShape = broadcastOf("Normal", { mean: options.mean, scale: options.scale });
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const { mean, scale } = this.parameters;
    return tf.tidy(() => tf.add(tf.mul(normal(key, [...sampleShape, ...this.batchShape]), scale), mean));
  }

  logProb(x: Tensor): Tensor {
    return normalLogDensity(x, this.parameters.mean, this.parameters.scale);
  }

  logProbSummed(x: Tensor, rank: number): Tensor {
    return normalLogDensity(x, this.parameters.mean, this.parameters.scale, rank);
  }

  /** `½ log(2πe) + log σ`. */
  entropy(): Tensor {
    return tf.tidy(() =>
      tf.add(tf.log(fill(this.parameters.scale, this.batchShape)), 0.5 * Math.log(2 * Math.PI * Math.E)),
    );
  }

  mean(): Tensor {
    return fill(this.parameters.mean, this.batchShape);
  }

  variance(): Tensor {
    return tf.tidy(() => tf.square(fill(this.parameters.scale, this.batchShape)));
  }
}
