import { type Key, normal, split } from "../engine/random.js";
import { checkShape, formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { cholesky } from "../ops/cholesky.js";
import { diagonal } from "../ops/lowerTriangle.js";
import { matMul } from "../ops/matMul.js";
import { checkEvent, checkReal } from "./check.js";
import type { Distribution } from "./distribution.js";
import { whiten } from "./triangularScale.js";

/** Parameters of a {@link LowRankNormal}. */
export interface LowRankNormalOptions {
  /** μ, `[...batch, D]`. */
  readonly mean: Tensor;
  /** σ > 0, `[...batch, D]`: the standard deviations that the factors add to. */
  readonly scale: Tensor;
  /** F, `[...batch, D, R]`. */
  readonly factors: Tensor;
}

/**
 * The normal distribution with covariance `Σ = diag(σ²) + F Fᵀ`, at the cost of D R² in place of D³.
 *
 * With `u = (x − μ)/σ`, `G = F/σ` and `C = I + Gᵀ G`: `log p(x) = −½ (|u|² − |L⁻¹ Gᵀ u|²) − Σ_d log σ_d − ½ log |C| − (D/2) log 2π`, L the Cholesky factor of C. Samples are
 * reparameterised, `x = μ + σ ε₁ + F ε₂`.
 *
 * @throws Error if the shapes of μ, σ and F do not fit.
 */
export class LowRankNormal implements Distribution {
  readonly parameters: LowRankNormalOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[];
  readonly reparameterised = true;
  private readonly rank: number;

  constructor(options: LowRankNormalOptions) {
    const { mean, scale, factors } = options;
    for (const [name, tensor] of Object.entries({ mean, scale, factors })) checkReal(`LowRankNormal: ${name}`, tensor);
    checkShape("LowRankNormal: mean", mean, ["...", "*"]);
    if (formatShape(scale.shape) !== formatShape(mean.shape))
      throw new Error(
        `LowRankNormal: scale ${formatShape(scale.shape)} must have the shape of mean ${formatShape(mean.shape)}.`,
      );
    this.rank = factors.shape[factors.rank - 1] ?? 0;
    checkShape("LowRankNormal: factors", factors, [...mean.shape, "*"]);
    this.parameters = options;
    this.batchShape = mean.shape.slice(0, -1);
    this.eventShape = [mean.shape[mean.rank - 1]];
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const { mean, scale, factors } = this.parameters;
    return tf.tidy(() => {
      const [own, shared] = split(key);
      const noise = normal(own, [...sampleShape, ...mean.shape]);
      const common = this.times(factors, normal(shared, [...sampleShape, ...this.batchShape, this.rank]), false);
      return tf.add(tf.add(tf.mul(noise, scale), common), mean);
    });
  }

  logProb(x: Tensor): Tensor {
    checkEvent("LowRankNormal", x, this.eventShape);
    return tf.tidy(() => {
      const { mean, scale } = this.parameters;
      const u = tf.div(tf.sub(x, mean), scale);
      const { scaled, lower } = this.core();
      const explained = whiten(lower, this.times(scaled, u, true));
      const quadratic = tf.sub(tf.sum(tf.square(u), -1), tf.sum(tf.square(explained), -1));
      return tf.sub(tf.mul(quadratic, -0.5), tf.add(this.logDeterminant(lower), this.constant(0)));
    });
  }

  /** `(D/2) log 2πe + Σ_d log σ_d + ½ log |C|`. */
  entropy(): Tensor {
    return tf.tidy(() => tf.add(this.logDeterminant(this.core().lower), this.constant(1)));
  }

  mean(): Tensor {
    return tf.clone(this.parameters.mean);
  }

  /** The diagonal of Σ. */
  variance(): Tensor {
    const { scale, factors } = this.parameters;
    return tf.tidy(() => tf.add(tf.square(scale), tf.sum(tf.square(factors), -1)));
  }

  /** G = F/σ, and the Cholesky factor of I + Gᵀ G. */
  private core(): { readonly scaled: Tensor; readonly lower: Tensor } {
    const { scale, factors } = this.parameters;
    const scaled = tf.div(factors, tf.expandDims(scale, -1));
    return { scaled, lower: cholesky(tf.add(matMul(scaled, scaled, { transposeA: true }), tf.eye(this.rank))) };
  }

  private logDeterminant(lower: Tensor): Tensor {
    return tf.add(tf.sum(tf.log(this.parameters.scale), -1), tf.sum(tf.log(diagonal(lower)), -1));
  }

  private constant(entropy: 0 | 1): number {
    return 0.5 * this.eventShape[0]! * (Math.log(2 * Math.PI) + entropy);
  }

  /** `M v` (or `Mᵀ v`) of vectors `[..., batch, n]`, the matrices `[batch, D, R]`. */
  private times(matrices: Tensor, vectors: Tensor, transposed: boolean): Tensor {
    const batch = this.batchShape.reduce((product, size) => product * size, 1);
    const [n, m] = transposed ? [this.eventShape[0]!, this.rank] : [this.rank, this.eventShape[0]!];
    const rows = tf.transpose(tf.reshape(vectors, [-1, batch, n]), [1, 0, 2]);
    const product = matMul(rows, tf.reshape(matrices, [batch, this.eventShape[0]!, this.rank]), {
      transposeB: !transposed,
    });
    return tf.reshape(tf.transpose(product, [1, 0, 2]), [...vectors.shape.slice(0, -1), m]);
  }
}
