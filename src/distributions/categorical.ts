import { categorical, type Key } from "../engine/random.js";
import { type Tensor, tf } from "../engine/tf.js";
import { logSumExp } from "../ops/logSumExp.js";
import { stopGradient } from "../ops/stopGradient.js";
import { where } from "../ops/where.js";
import { checkReal } from "./check.js";
import type { Distribution } from "./distribution.js";

/** Parameters of a {@link Categorical}. */
export interface CategoricalOptions {
  /** Unnormalised log-probabilities `[..., K]`; −∞ marks an impossible category. */
  readonly logits: Tensor;
}

/**
 * A distribution over the indices 0, …, K − 1: `log p(k) = l_k − log Σ_j exp l_j`.
 *
 * Batch shape: that of the logits without their last dimension; event shape `[]`; samples are int32 and carry no gradient. What is no
 * index has log-probability −∞.
 *
 * @throws Error if the logits are not a float32 tensor `[..., K]`.
 */
export class Categorical implements Distribution {
  readonly parameters: CategoricalOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = false;
  /** K. */
  readonly size: number;

  constructor(options: CategoricalOptions) {
    checkReal("Categorical: logits", options.logits);
    const { shape } = options.logits;
    if (shape.length === 0) throw new Error("Categorical: logits must have the shape [..., K], not [].");
    this.parameters = options;
    this.size = shape[shape.length - 1]!;
    this.batchShape = shape.slice(0, -1);
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    return categorical(key, this.parameters.logits, sampleShape);
  }

  logProb(x: Tensor): Tensor {
    return tf.tidy(() => {
      const chosen = stopGradient(() => tf.equal(tf.expandDims(tf.cast(x, "float32"), -1), tf.range(0, this.size)));
      // A sum of one term, or of none: that is −∞, where Σ chosen · log p would say 0 (and NaN beside an impossible category).
      return logSumExp(where(chosen, this.logProbabilities(), tf.scalar(Number.NEGATIVE_INFINITY)));
    });
  }

  /** `−Σ p_k log p_k`, with 0 log 0 = 0. */
  entropy(): Tensor {
    return tf.tidy(() => {
      const logP = this.logProbabilities();
      const possible = stopGradient(() => tf.isFinite(logP));
      const finite = where(possible, logP, tf.scalar(0));
      return tf.neg(tf.sum(tf.mul(this.probabilities(), finite), -1));
    });
  }

  /** Probabilities `[..., K]`. */
  probabilities(): Tensor {
    return tf.softmax(this.parameters.logits);
  }

  /** Mean of the index. */
  mean(): Tensor {
    return tf.tidy(() => tf.sum(tf.mul(this.probabilities(), tf.range(0, this.size)), -1));
  }

  /** Variance of the index. */
  variance(): Tensor {
    return tf.tidy(() => {
      const deviation = tf.sub(tf.range(0, this.size), tf.expandDims(this.mean(), -1));
      return tf.sum(tf.mul(this.probabilities(), tf.square(deviation)), -1);
    });
  }

  private logProbabilities(): Tensor {
    return tf.sub(this.parameters.logits, logSumExp(this.parameters.logits, -1, true));
  }
}
