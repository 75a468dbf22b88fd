import { type Key, uniform } from "../engine/random.js";
import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { stopGradient } from "../ops/stopGradient.js";
import { where } from "../ops/where.js";
import { checkReal, fill } from "./check.js";
import type { Distribution } from "./distribution.js";

/** Parameters of a {@link Uniform}. */
export interface UniformOptions {
  /** Lower end a. */
  readonly low: Tensor | number;
  /** Upper end b > a; broadcasts against the lower. */
  readonly high: Tensor | number;
}

/**
 * The uniform distribution on [a, b], elementwise: `p(x) = 1/(b − a)` there, 0 elsewhere (log p = −∞).
 *
 * Batch shape: that of a and b broadcast together; event shape `[]`. Samples are reparameterised, `x = a + (b − a) u`.
 *
 * @throws Error if a and b do not broadcast, or are numbers with a ≥ b.
 */
export class Uniform implements Distribution {
  readonly parameters: UniformOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = true;

  constructor(options: UniformOptions) {
    const { low, high } = options;
    checkReal("Uniform: low", low);
    checkReal("Uniform: high", high);
    if (typeof low === "number" && typeof high === "number" && !(low < high)) {
      throw new Error(`Uniform: low (${low}) must be less than high (${high}).`);
    }
    this.parameters = options;
    this.batchShape = broadcastOf("Uniform", { low, high });
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const { low } = this.parameters;
    return tf.tidy(() => tf.add(tf.mul(uniform(key, [...sampleShape, ...this.batchShape]), this.width()), low));
  }

  logProb(x: Tensor): Tensor {
    const { low, high } = this.parameters;
    broadcastOf("Uniform.logProb", { x, low, high });
    return tf.tidy(() => {
      const inside = stopGradient(() => tf.logicalAnd(tf.greaterEqual(x, low), tf.lessEqual(x, high)));
      return where(inside, tf.neg(tf.log(this.width())), tf.scalar(Number.NEGATIVE_INFINITY));
    });
  }

  /** `log(b − a)`. */
  entropy(): Tensor {
    return tf.tidy(() => tf.log(this.width()));
  }

  mean(): Tensor {
    return tf.tidy(() => tf.add(fill(this.parameters.low, this.batchShape), tf.mul(this.width(), 0.5)));
  }

  variance(): Tensor {
    return tf.tidy(() => tf.div(tf.square(this.width()), 12));
  }

  private width(): Tensor {
    return tf.sub(fill(this.parameters.high, this.batchShape), this.parameters.low);
  }
}
