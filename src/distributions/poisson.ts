import { poisson } from "../engine/poisson.js";
import type { Key } from "../engine/random.js";
import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { deviance } from "../ops/deviance.js";
import { stirlingRemainder } from "../ops/logBeta.js";
import { stopGradient } from "../ops/stopGradient.js";
import { where } from "../ops/where.js";
import { checkPositive, fill } from "./check.js";
import type { Distribution } from "./distribution.js";
import { isCount, onSupport } from "./support.js";

/** Parameters of a {@link Poisson}. */
export interface PoissonOptions {
  /** λ > 0, of any shape. */
  readonly rate: Tensor | number;
}

/**
 * The Poisson distribution, elementwise: `p(n) = λⁿ e^(−λ) / n!` for the counts n = 0, 1, 2, … as float32.
 *
 * Batch shape: that of λ; event shape `[]`. Samples carry no gradient, and what `logProb` gives in n is of no use. `log p` is −∞ where n is no count. The
 * entropy has no closed form.
 *
 * @throws Error if λ is no float32 tensor, or a number that is not positive.
 */
export class Poisson implements Distribution {
  readonly parameters: PoissonOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = false;

  constructor(options: PoissonOptions) {
    checkPositive("Poisson: rate", options.rate);
    this.parameters = options;
    this.batchShape = typeof options.rate === "number" ? [] : options.rate.shape;
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    return tf.tidy(() => poisson(key, fill(this.parameters.rate, this.batchShape), sampleShape));
  }

  logProb(n: Tensor): Tensor {
    const { rate } = this.parameters;
    broadcastOf("Poisson.logProb", { n, rate });
    const mass = (n: Tensor): Tensor => {
      const none = stopGradient(() => tf.equal(n, 0));
      const some = where(none, tf.scalar(1), n);
      const peak = tf.add(tf.mul(tf.log(tf.mul(some, 2 * Math.PI)), 0.5), stirlingRemainder(some));
      return where(none, tf.neg(rate), tf.sub(tf.mul(some, deviance(tf.log(tf.div(rate, some)))), peak));
    };
    return onSupport(n, isCount, 0, mass);
  }

  /** @throws Error always: the entropy of a Poisson law has no closed form. */
  entropy(): Tensor {
    throw new Error("Poisson: its entropy has no closed form; average −logProb over samples.");
  }

  mean(): Tensor {
    return fill(this.parameters.rate, this.batchShape);
  }

  /** `λ`. */
  variance(): Tensor {
    return this.mean();
  }
}
