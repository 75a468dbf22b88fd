import { type Key, split } from "../engine/random.js";
import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { digamma } from "../ops/digamma.js";
import { logBeta } from "../ops/logBeta.js";
import { sigmoid } from "../ops/sigmoid.js";
import { checkPositive, fill } from "./check.js";
import type { Distribution } from "./distribution.js";
import { LogGamma } from "./logGamma.js";
import { largestBelowOne, onSupport, smallestPositive } from "./support.js";

/** Parameters of a {@link Beta}. */
export interface BetaOptions {
  /** a > 0, of any shape. */
  readonly a: Tensor | number;
  /** b > 0; broadcasts against a. */
  readonly b: Tensor | number;
}

/**
 * The beta distribution on (0, 1), elementwise: `p(x) = x^(a−1) (1 − x)^(b−1) / B(a, b)`, of mean a/(a + b).
 *
 * Batch shape: that of a and b broadcast together; event shape `[]`. A sample is the share of one of two gamma draws, from their logs, and is reparameterised
 * through both (once differentiable); it is kept inside (0, 1) where float32 would round it to an end. `log p` is −∞ outside.
 *
 * @throws Error if a and b do not broadcast, or if one is a number that is not positive.
 */
export class Beta implements Distribution {
  readonly parameters: BetaOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = true;

  constructor(options: BetaOptions) {
    const { a, b } = options;
    checkPositive("Beta: a", a);
    checkPositive("Beta: b", b);
    this.parameters = options;
    this.batchShape = broadcastOf("Beta", { a, b });
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const keys = split(key);
    return tf.tidy(() => {
      const draw = (concentration: Tensor, i: number): Tensor =>
        new LogGamma({ concentration, rate: 1 }).sample(keys[i]!, sampleShape);
      const [x, y] = this.both().map(draw);
      return tf.minimum(tf.maximum(sigmoid(tf.sub(x!, y!)), smallestPositive), largestBelowOne);
    });
  }

  logProb(x: Tensor): Tensor {
    broadcastOf("Beta.logProb", { x, ...this.parameters });
    const density = (x: Tensor): Tensor => {
      const [a, b] = this.both();
      const logs = tf.add(tf.mul(tf.sub(a, 1), tf.log(x)), tf.mul(tf.sub(b, 1), tf.log1p(tf.neg(x))));
      return tf.sub(logs, logBeta(a, b));
    };
    return onSupport(x, (x) => tf.logicalAnd(tf.greater(x, 0), tf.less(x, 1)), 0.5, density);
  }

  /** `log B(a, b) − (a − 1) ψ(a) − (b − 1) ψ(b) + (a + b − 2) ψ(a + b)`. */
  entropy(): Tensor {
    return tf.tidy(() => {
      const [a, b] = this.both();
      const total = tf.add(a, b);
      const own = tf.add(tf.mul(tf.sub(a, 1), digamma(a)), tf.mul(tf.sub(b, 1), digamma(b)));
      return tf.add(tf.sub(logBeta(a, b), own), tf.mul(tf.sub(total, 2), digamma(total)));
    });
  }

  mean(): Tensor {
    return tf.tidy(() => {
      const [a, b] = this.both();
      return tf.div(a, tf.add(a, b));
    });
  }

  /** `ab / ((a + b)² (a + b + 1))`. */
  variance(): Tensor {
    return tf.tidy(() => {
      const [a, b] = this.both();
      const total = tf.add(a, b);
      return tf.div(tf.mul(tf.div(a, total), tf.div(b, total)), tf.add(total, 1));
    });
  }

  private both(): [Tensor, Tensor] {
    const { a, b } = this.parameters;
    return [fill(a, this.batchShape), fill(b, this.batchShape)];
  }
}
