import { type Key, normal } from "../engine/random.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { matMul } from "../ops/matMul.js";
import { checkEvent, checkReal } from "./check.js";
import type { Distribution } from "./distribution.js";

/** Parameters of a {@link SpikedNormal}. */
export interface SpikedNormalOptions {
  /** μ, `[D]`. */
  readonly mean: Tensor1D;
  /** s > 0, `[D]`. */
  readonly scale: Tensor1D;
  /** V, `[R, D]`, its rows orthonormal. */
  readonly directions: Tensor2D;
  /** r > 0, `[R]`: how many times as far as s it goes along each direction. */
  readonly stretch: Tensor1D;
}

/**
 * The normal distribution that differs from a diagonal one in few directions: `x = μ + s ∘ (ε + Vᵀ ((r − 1) ∘ V ε))`, so `Σ = diag(s) (I + Vᵀ diag(r² − 1) V) diag(s)`.
 *
 * Directions may be wider (r > 1) or narrower (r < 1) than s; sampling and density cost D R. Batch shape `[1]`, event shape `[D]`. That V is orthonormal is not checked.
 *
 * @throws Error if the shapes do not fit.
 */
export class SpikedNormal implements Distribution {
  readonly parameters: SpikedNormalOptions;
  readonly batchShape: readonly number[] = [1];
  readonly eventShape: readonly number[];
  readonly reparameterised = true;

  constructor(options: SpikedNormalOptions) {
    const { mean, scale, directions, stretch } = options;
    for (const [name, tensor] of Object.entries({ mean, scale, directions, stretch }))
      checkReal(`SpikedNormal: ${name}`, tensor);
    checkShape("SpikedNormal: mean", mean, ["*"]);
    checkShape("SpikedNormal: scale", scale, mean.shape);
    checkShape("SpikedNormal: stretch", stretch, ["*"]);
    checkShape("SpikedNormal: directions", directions, [stretch.shape[0], mean.shape[0]]);
    this.parameters = options;
    this.eventShape = [...mean.shape];
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const { mean, scale, stretch } = this.parameters;
    return tf.tidy(() => {
      const noise = normal(key, [...sampleShape, 1, ...this.eventShape]);
      return tf.add(mean, tf.mul(scale, this.stretched(noise, tf.sub(stretch, 1))));
    });
  }

  logProb(x: Tensor): Tensor {
    checkEvent("SpikedNormal", x, this.eventShape);
    return tf.tidy(() => {
      const { mean, scale, stretch } = this.parameters;
      const noise = this.stretched(tf.div(tf.sub(x, mean), scale), tf.sub(tf.div(1, stretch), 1));
      return tf.sub(tf.mul(tf.sum(tf.square(noise), -1), -0.5), tf.add(this.logDeterminant(), this.constant(0)));
    });
  }

  /** `(D/2) log 2πe + Σ_d log s_d + Σ_r log r`. */
  entropy(): Tensor {
    return tf.tidy(() => tf.reshape(tf.add(this.logDeterminant(), this.constant(1)), [1]));
  }

  mean(): Tensor {
    return tf.expandDims(this.parameters.mean, 0);
  }

  /** The diagonal of Σ. */
  variance(): Tensor {
    const { scale, directions, stretch } = this.parameters;
    return tf.tidy(() => {
      const extra = tf.mul(tf.square(directions), tf.expandDims(tf.sub(tf.square(stretch), 1), 1));
      return tf.expandDims(tf.mul(tf.square(scale), tf.add(1, tf.sum(extra, 0))), 0);
    });
  }

  /** `u + Vᵀ (a ∘ V u)` for vectors u `[..., D]`. */
  private stretched(u: Tensor, a: Tensor): Tensor {
    const { directions } = this.parameters;
    const rows = tf.reshape(u, [-1, this.eventShape[0]!]) as Tensor2D;
    const along = tf.mul(matMul(rows, directions, { transposeB: true }), a) as Tensor2D;
    return tf.reshape(tf.add(rows, matMul(along, directions)), u.shape);
  }

  private logDeterminant(): Tensor {
    return tf.add(tf.sum(tf.log(this.parameters.scale)), tf.sum(tf.log(this.parameters.stretch)));
  }

  private constant(entropy: 0 | 1): number {
    return 0.5 * this.eventShape[0]! * (Math.log(2 * Math.PI) + entropy);
  }
}
