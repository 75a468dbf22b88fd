import { type Key, normal, split } from "../engine/random.js";
import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { digamma } from "../ops/digamma.js";
import { exp } from "../ops/exp.js";
import { logBeta } from "../ops/logBeta.js";
import { stopGradient } from "../ops/stopGradient.js";
import { where } from "../ops/where.js";
import { checkPositive, checkReal, fill } from "./check.js";
import type { Distribution } from "./distribution.js";
import { LogGamma } from "./logGamma.js";

/** Parameters of a {@link StudentT}. */
export interface StudentTOptions {
  /** ν > 0, of any shape; 1 is Cauchy's, ∞ the normal distribution's. */
  readonly degreesOfFreedom: Tensor | number;
  /** μ. Default 0. */
  readonly location?: Tensor | number;
  /** σ > 0, not the standard deviation. Default 1. */
  readonly scale?: Tensor | number;
}

/**
 * Student's t distribution, elementwise: `p(x) = Γ((ν + 1)/2) / (Γ(ν/2) √(νπ) σ) (1 + y²/ν)^(−(ν + 1)/2)`, y = (x − μ)/σ.
 *
 * Batch shape: that of ν, μ and σ broadcast together; event shape `[]`. A draw is `μ + σ ε √(ν/2G)` with ε normal and G ~ Γ(ν/2, 1), and is reparameterised
 * through G (implicitly in ν, once differentiable there). The mean is NaN for ν ≤ 1, the variance ∞ for 1 < ν ≤ 2 and NaN for ν ≤ 1.
 *
 * @throws Error if ν, μ and σ do not broadcast, or if ν or σ is a number that is not positive.
 * Source of the gradient: Figurnov, Mohamed & Mnih 2018, "Implicit reparameterization gradients".
 */
export class StudentT implements Distribution {
  readonly parameters: Required<StudentTOptions>;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[] = [];
  readonly reparameterised = true;

  constructor(options: StudentTOptions) {
    const { degreesOfFreedom, location = 0, scale = 1 } = options;
    checkPositive("StudentT: degreesOfFreedom", degreesOfFreedom);
    checkReal("StudentT: location", location);
    checkPositive("StudentT: scale", scale);
    this.parameters = { degreesOfFreedom, location, scale };
    this.batchShape = broadcastOf("StudentT", this.parameters);
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const [noise, spread] = split(key);
    const { location, scale } = this.parameters;
    return tf.tidy(() => {
      const half = tf.div(this.degrees(), 2);
      const logShare = tf.sub(tf.log(half), new LogGamma({ concentration: half, rate: 1 }).sample(spread, sampleShape));
      const y = tf.mul(normal(noise, [...sampleShape, ...this.batchShape]), exp(tf.div(logShare, 2)));
      return tf.add(tf.mul(y, scale), location);
    });
  }

  logProb(x: Tensor): Tensor {
    broadcastOf("StudentT.logProb", { x, ...this.parameters });
    const { location, scale } = this.parameters;
    return tf.tidy(() => {
      const nu = this.degrees();
      const y = tf.div(tf.sub(x, location), scale);
      const tail = tf.mul(tf.div(tf.add(nu, 1), 2), tf.log1p(tf.div(tf.square(y), nu)));
      return tf.neg(tf.add(tail, this.logPeak()));
    });
  }

  /** `½ (ν + 1) (ψ(½ (ν + 1)) − ψ(½ ν)) + ½ log ν + log B(½, ½ ν) + log σ`. */
  entropy(): Tensor {
    return tf.tidy(() => {
      const half = tf.div(this.degrees(), 2);
      const above = tf.add(half, 0.5);
      return tf.add(tf.mul(above, tf.sub(digamma(above), digamma(half))), this.logPeak());
    });
  }

  mean(): Tensor {
    return tf.tidy(() => {
      const { location } = this.parameters;
      const exists = stopGradient(() => tf.greater(this.degrees(), 1));
      return where(exists, fill(location, this.batchShape), tf.scalar(Number.NaN));
    });
  }

  /** `σ² ν/(ν − 2)`. */
  variance(): Tensor {
    return tf.tidy(() => {
      const nu = this.degrees();
      const [finite, exists] = [stopGradient(() => tf.greater(nu, 2)), stopGradient(() => tf.greater(nu, 1))];
      const above = where(finite, nu, tf.scalar(3));
      const value = tf.mul(tf.square(this.parameters.scale), tf.div(above, tf.sub(above, 2)));
      return where(finite, value, where(exists, tf.scalar(Number.POSITIVE_INFINITY), tf.scalar(Number.NaN)));
    });
  }

  /** −log of the density at μ: `log B(½, ½ ν) + ½ log ν + log σ`. */
  private logPeak(): Tensor {
    const nu = this.degrees();
    const own = tf.add(logBeta(tf.scalar(0.5), tf.div(nu, 2)), tf.div(tf.log(nu), 2));
    return tf.add(own, tf.log(this.parameters.scale));
  }

  private degrees(): Tensor {
    return fill(this.parameters.degreesOfFreedom, this.batchShape);
  }
}
