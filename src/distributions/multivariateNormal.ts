import { type Key, normal } from "../engine/random.js";
import { broadcastShapes, checkShape, formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { diagonal, lowerTriangle } from "../ops/lowerTriangle.js";
import { matMul } from "../ops/matMul.js";
import { checkEvent, checkReal, fill } from "./check.js";
import type { Distribution } from "./distribution.js";
import { transformByScale, whiten } from "./triangularScale.js";

/** Parameters of a {@link MultivariateNormal}. */
export interface MultivariateNormalOptions {
  /** μ `[..., D]`. */
  readonly mean: Tensor;
  /** L `[..., D, D]` with positive diagonal and `L Lᵀ = Σ`; only its lower triangle is read. */
  readonly scaleTril: Tensor;
}

/**
 * The normal distribution on ℝᴰ from the Cholesky factor of its covariance:
 * `log p(x) = −½ |L⁻¹ (x − μ)|² − Σ_d log L_dd − (D/2) log 2π`.
 *
 * Batch shape: the leading dimensions of μ and L broadcast together; event shape `[D]`. Samples are reparameterised, `x = μ + L ε`. For a
 * diagonal covariance use `Independent` of {@link Normal}, which costs D instead of D².
 *
 * @throws Error if the shapes of μ and L do not fit.
 */
export class MultivariateNormal implements Distribution {
  readonly parameters: MultivariateNormalOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[];
  readonly reparameterised = true;

  constructor(options: MultivariateNormalOptions) {
    const { mean, scaleTril } = options;
    checkReal("MultivariateNormal: mean", mean);
    checkReal("MultivariateNormal: scaleTril", scaleTril);
    checkShape("MultivariateNormal: mean", mean, ["...", "*"]);
    const size = mean.shape[mean.rank - 1]!;
    checkShape("MultivariateNormal: scaleTril", scaleTril, ["...", size, size]);
    const batchShape = broadcastShapes(mean.shape.slice(0, -1), scaleTril.shape.slice(0, -2));
    if (!batchShape) {
      throw new Error(
        `MultivariateNormal: the batches of mean ${formatShape(mean.shape)} and scaleTril ${formatShape(scaleTril.shape)} do not broadcast.`,
      );
    }
    this.parameters = options;
    this.batchShape = batchShape;
    this.eventShape = [size];
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const { mean, scaleTril } = this.parameters;
    return tf.tidy(() => {
      const noise = normal(key, [...sampleShape, ...this.batchShape, ...this.eventShape]);
      return tf.add(transformByScale(scaleTril, noise), mean);
    });
  }

  logProb(x: Tensor): Tensor {
    checkEvent("MultivariateNormal", x, this.eventShape);
    return tf.tidy(() => {
      const { mean, scaleTril } = this.parameters;
      const z = whiten(scaleTril, tf.sub(x, fill(mean, [...this.batchShape, ...this.eventShape])));
      const constant = 0.5 * this.eventShape[0]! * Math.log(2 * Math.PI);
      return tf.sub(tf.mul(tf.sum(tf.square(z), -1), -0.5), tf.add(this.logDeterminant(), constant));
    });
  }

  /** `(D/2) log 2πe + Σ_d log L_dd`. */
  entropy(): Tensor {
    const constant = 0.5 * this.eventShape[0]! * Math.log(2 * Math.PI * Math.E);
    return tf.tidy(() => fill(tf.add(this.logDeterminant(), constant), this.batchShape));
  }

  mean(): Tensor {
    return fill(this.parameters.mean, [...this.batchShape, ...this.eventShape]);
  }

  /** The diagonal of Σ. */
  variance(): Tensor {
    return tf.tidy(() => {
      const variances = tf.sum(tf.square(lowerTriangle(this.parameters.scaleTril)), -1);
      return fill(variances, [...this.batchShape, ...this.eventShape]);
    });
  }

  /** Σ = L Lᵀ, `[..., D, D]` with the batch of L. */
  covariance(): Tensor {
    return tf.tidy(() => {
      const lower = lowerTriangle(this.parameters.scaleTril);
      return matMul(lower, lower, { transposeB: true });
    });
  }

  /** `log |L| = Σ_d log L_dd`, with the batch of L. */
  logDeterminant(): Tensor {
    return tf.tidy(() => tf.sum(tf.log(diagonal(this.parameters.scaleTril)), -1));
  }
}
