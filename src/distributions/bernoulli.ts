import { bernoulli, type Key } from "../engine/random.js";
import { type Tensor, tf } from "../engine/tf.js";
import { bernoulliLogDensity } from "../ops/bernoulliLogDensity.js";
import { sigmoid } from "../ops/sigmoid.js";
import { softplus } from "../ops/softplus.js";
import { checkReal } from "./check.js";
import type { Distribution } from "./distribution.js";

/** Parameters of a {@link Bernoulli}. */
export interface BernoulliOptions {
  /** l = log p − log(1 − p), of any shape. */
  readonly logits: Tensor;
}

/**
 * The Bernoulli distribution, elementwise, from its logits: `log p(x) = x l − log(1 + eˡ)` for x ∈ {0, 1} as float32.
 *
 * Batch shape: that of the logits; event shape `[]`. Samples carry no gradient, and `logProb` gives none in x.
 *
 * @throws Error if the logits are not a float32 tensor.
 */
export class Bernoulli implements Distribution {
  readonly parameters: BernoulliOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = false;

  constructor(options: BernoulliOptions) {
    checkReal("Bernoulli: logits", options.logits);
    this.parameters = options;
    this.batchShape = options.logits.shape;
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    return tf.tidy(() => bernoulli(key, tf.sigmoid(this.parameters.logits), sampleShape));
  }

  logProb(x: Tensor): Tensor {
    return bernoulliLogDensity(x, this.parameters.logits);
  }

  logProbSummed(x: Tensor, rank: number): Tensor {
    return bernoulliLogDensity(x, this.parameters.logits, rank);
  }

  /** `σ(l) log(1 + e⁻ˡ) + σ(−l) log(1 + eˡ)`: no cancellation in either tail. */
  entropy(): Tensor {
    return tf.tidy(() => {
      const { logits } = this.parameters;
      const negative = tf.neg(logits);
      return tf.add(tf.mul(sigmoid(logits), softplus(negative)), tf.mul(sigmoid(negative), softplus(logits)));
    });
  }

  mean(): Tensor {
    return sigmoid(this.parameters.logits);
  }

  variance(): Tensor {
    return tf.tidy(() => tf.mul(sigmoid(this.parameters.logits), sigmoid(tf.neg(this.parameters.logits))));
  }
}
