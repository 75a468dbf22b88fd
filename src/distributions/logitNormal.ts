import type { Key } from "../engine/random.js";
import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { sigmoid } from "../ops/sigmoid.js";
import { softplus } from "../ops/softplus.js";
import { checkPositive, checkReal, fill } from "./check.js";
import type { Distribution } from "./distribution.js";
import { Normal } from "./normal.js";
import { largestBelowOne, onSupport, smallestPositive } from "./support.js";

/** Parameters of a {@link LogitNormal}: those of the normal law of logit x. */
export interface LogitNormalOptions {
  /** μ, of any shape. */
  readonly mean: Tensor | number;
  /** σ > 0; broadcasts against μ. */
  readonly scale: Tensor | number;
}

/** Spacing and number of the nodes of a trapezoid rule for expectations under N(0, 1), from −9 to 9. */
const [spacing, half] = [0.25, 36];

/**
 * The logit-normal distribution on (0, 1), elementwise: `logit x = log x − log(1 − x) ~ N(μ, σ²)`, so that
 * `log p(x) = log N(logit x; μ, σ²) − log x − log(1 − x)`.
 *
 * `Independent` makes a product of it on (0, 1)^D. Batch shape: that of μ and σ broadcast together; event shape `[]`. Samples are reparameterised,
 * `x = 1/(1 + exp(−μ − σε))`, and kept inside (0, 1) where float32 would round them to an end. `log p` is −∞ outside. Mean, variance and entropy have no
 * closed form; they are computed by a quadrature that is exact to float32 for σ ≤ 5.
 *
 * @throws Error if μ and σ do not broadcast, or if σ is a number that is not positive.
 * Source: Atchison & Shen 1980, "Logistic-normal distributions: some properties and uses".
 */
export class LogitNormal implements Distribution {
  readonly parameters: LogitNormalOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = true;

  constructor(options: LogitNormalOptions) {
    const { mean, scale } = options;
    checkReal("LogitNormal: mean", mean);
    checkPositive("LogitNormal: scale", scale);
    this.parameters = options;
    this.batchShape = broadcastOf("LogitNormal", { mean, scale });
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    return tf.tidy(() => {
      const x = sigmoid(new Normal(this.parameters).sample(key, sampleShape));
      return tf.minimum(tf.maximum(x, smallestPositive), largestBelowOne);
    });
  }

  logProb(x: Tensor): Tensor {
    broadcastOf("LogitNormal.logProb", { x, ...this.parameters });
    const density = (x: Tensor): Tensor => {
      const [logX, logRest] = [tf.log(x), tf.log1p(tf.neg(x))];
      return tf.sub(new Normal(this.parameters).logProb(tf.sub(logX, logRest)), tf.add(logX, logRest));
    };
    return onSupport(x, (x) => tf.logicalAnd(tf.greater(x, 0), tf.less(x, 1)), 0.5, density);
  }

  /** That of N(μ, σ²) plus E log x(1 − x). */
  entropy(): Tensor {
    return tf.tidy(() => {
      const logSlope = (logit: Tensor): Tensor => tf.neg(tf.add(softplus(logit), softplus(tf.neg(logit))));
      return tf.add(new Normal(this.parameters).entropy(), this.expectation(logSlope));
    });
  }

  mean(): Tensor {
    return tf.tidy(() => this.expectation(sigmoid));
  }

  variance(): Tensor {
    return tf.tidy(() => {
      const mean = tf.expandDims(this.mean(), -1);
      return this.expectation((logit) => tf.square(tf.sub(sigmoid(logit), mean)));
    });
  }

  /** E f(logit x), for f from `[..., nodes]` to the same shape. */
  private expectation(f: (logit: Tensor) => Tensor): Tensor {
    const z = Array.from({ length: 2 * half + 1 }, (_, i) => spacing * (i - half));
    const masses = z.map((point) => (spacing / Math.sqrt(2 * Math.PI)) * Math.exp(-0.5 * point * point));
    const [mean, scale] = [this.parameters.mean, this.parameters.scale].map((parameter) =>
      tf.expandDims(fill(parameter, this.batchShape), -1),
    );
    return tf.sum(tf.mul(f(tf.add(tf.mul(scale!, tf.tensor1d(z)), mean!)), tf.tensor1d(masses)), -1);
  }
}
