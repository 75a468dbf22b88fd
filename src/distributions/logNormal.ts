import type { Key } from "../engine/random.js";
import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { checkPositive, checkReal, fill } from "./check.js";
import type { Distribution } from "./distribution.js";
import { Normal } from "./normal.js";
import { onSupport } from "./support.js";

/** Parameters of a {@link LogNormal}: those of the normal law of log x. */
export interface LogNormalOptions {
  /** μ, of any shape. */
  readonly mean: Tensor | number;
  /** σ > 0; broadcasts against μ. */
  readonly scale: Tensor | number;
}

/**
 * The log-normal distribution, elementwise: log x ~ N(μ, σ²), so that `log p(x) = log N(log x; μ, σ²) − log x` for x > 0.
 *
 * Batch shape: that of μ and σ broadcast together; event shape `[]`. Samples are reparameterised, `x = exp(μ + σε)`. `log p` is −∞ where x ≤ 0.
 *
 * @throws Error if μ and σ do not broadcast, or if σ is a number that is not positive.
 */
export class LogNormal implements Distribution {
  readonly parameters: LogNormalOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = true;

  constructor(options: LogNormalOptions) {
    const { mean, scale } = options;
    checkReal("LogNormal: mean", mean);
    checkPositive("LogNormal: scale", scale);
    this.parameters = options;
    this.batchShape = broadcastOf("LogNormal", { mean, scale });
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    return tf.tidy(() => exp(new Normal(this.parameters).sample(key, sampleShape)));
  }

  logProb(x: Tensor): Tensor {
    broadcastOf("LogNormal.logProb", { x, ...this.parameters });
    const density = (x: Tensor): Tensor => {
      const logX = tf.log(x);
      return tf.sub(new Normal(this.parameters).logProb(logX), logX);
    };
    return onSupport(x, (x) => tf.greater(x, 0), 1, density);
  }

  /** `μ + ½ log(2πe) + log σ`. */
  entropy(): Tensor {
    return tf.tidy(() => tf.add(new Normal(this.parameters).entropy(), this.parameters.mean));
  }

  /** `exp(μ + ½σ²)`. */
  mean(): Tensor {
    return tf.tidy(() => exp(tf.add(tf.mul(this.square(), 0.5), this.parameters.mean)));
  }

  /** `(exp(σ²) − 1) exp(2μ + σ²)`. */
  variance(): Tensor {
    return tf.tidy(() => tf.mul(tf.expm1(this.square()), tf.square(this.mean())));
  }

  /** σ². */
  private square(): Tensor {
    return tf.square(fill(this.parameters.scale, this.batchShape));
  }
}
