import { gamma } from "../engine/gamma.js";
import type { Key } from "../engine/random.js";
import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { deviance } from "../ops/deviance.js";
import { digamma } from "../ops/digamma.js";
import { implicitDraw } from "../ops/implicitDraw.js";
import { lgamma } from "../ops/lgamma.js";
import { stirlingRemainder } from "../ops/logBeta.js";
import { logGammaSlope } from "../ops/logGammaSlope.js";
import { checkPositive, fill } from "./check.js";
import type { Distribution } from "./distribution.js";
import { onSupport, smallestPositive } from "./support.js";

/** Parameters of a {@link Gamma}, and of the law of its logarithm. */
export interface GammaOptions {
  /** Shape α > 0. */
  readonly concentration: Tensor | number;
  /** Rate β > 0, an inverse scale; broadcasts against the concentration. */
  readonly rate: Tensor | number;
}

/**
 * The gamma distribution, elementwise: `p(x) = β^α x^(α−1) e^(−βx) / Γ(α)` for x > 0, of mean α/β.
 *
 * Batch shape: that of α and β broadcast together; event shape `[]`. Samples are reparameterised, implicitly in α: a draw moves with its shape as its
 * quantile does. They can be differentiated once in α. A draw below 1.2e-38 becomes that number; where α < 0.05 many are, and `LogGamma` is the law to use.
 * `log p` is −∞ where x ≤ 0, and within 1e-7 √α or so (absolutely) near the mode.
 *
 * @throws Error if α and β do not broadcast, or if one is a number that is not positive.
 * Source of the gradient: Figurnov, Mohamed & Mnih 2018, "Implicit reparameterization gradients".
 */
export class Gamma implements Distribution {
  readonly parameters: GammaOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = true;

  constructor(options: GammaOptions) {
    const { concentration, rate } = options;
    checkPositive("Gamma: concentration", concentration);
    checkPositive("Gamma: rate", rate);
    this.parameters = options;
    this.batchShape = broadcastOf("Gamma", { concentration, rate });
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    return tf.tidy(() => {
      const standard = implicitDraw({
        parameters: [this.concentration()],
        draw: () => tf.maximum(gamma(key, this.concentration(), sampleShape), smallestPositive),
        slopes: (x, [alpha]) => [() => tf.mul(x, logGammaSlope(alpha!, tf.log(x)))],
      });
      return tf.maximum(tf.div(standard, this.parameters.rate), smallestPositive);
    });
  }

  logProb(x: Tensor): Tensor {
    broadcastOf("Gamma.logProb", { x, ...this.parameters });
    const density = (x: Tensor): Tensor => {
      const alpha = this.concentration();
      const ratio = tf.div(tf.mul(x, this.parameters.rate), alpha);
      return tf.sub(tf.add(tf.mul(alpha, deviance(tf.log(ratio))), gammaPeak(alpha)), tf.log(x));
    };
    return onSupport(x, (x) => tf.greater(x, 0), 1, density);
  }

  /** `α − log β + log Γ(α) + (1 − α) ψ(α)`. */
  entropy(): Tensor {
    return tf.tidy(() => {
      const alpha = this.concentration();
      const shape = tf.add(tf.add(alpha, lgamma(alpha)), tf.mul(tf.sub(1, alpha), digamma(alpha)));
      return tf.sub(shape, tf.log(this.parameters.rate));
    });
  }

  mean(): Tensor {
    return tf.tidy(() => tf.div(this.concentration(), this.parameters.rate));
  }

  /** `α/β²`. */
  variance(): Tensor {
    return tf.tidy(() => tf.div(this.concentration(), tf.square(this.parameters.rate)));
  }

  private concentration(): Tensor {
    return fill(this.parameters.concentration, this.batchShape);
  }
}

/**
 * `α log α − α − log Γ(α) = ½ log(α/2π) − r(α)`: the log-density of the logarithm of a gamma variable at its mode.
 *
 * @internal
 */
export function gammaPeak(alpha: Tensor): Tensor {
  return tf.tidy(() => tf.sub(tf.mul(tf.log(tf.div(alpha, 2 * Math.PI)), 0.5), stirlingRemainder(alpha)));
}
