import { categorical, type Key } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { logSumExp } from "../ops/logSumExp.js";
import { checkEvent, checkReal } from "./check.js";
import type { Distribution } from "./distribution.js";

/** Parameters of a {@link OneHotCategorical}. */
export interface OneHotCategoricalOptions {
  /** l, unnormalised log-probabilities `[..., N, C]` of N variables with C states each, all finite. */
  readonly logits: Tensor;
}

/**
 * N independent categorical variables with C states, each as C numbers of which one is 1, side by side in one vector of N·C as float32:
 *
 * `log p(x) = Σ_n Σ_c x_nc (l_nc − log Σ_j exp l_nj)`.
 *
 * A vector is what a decoder's first layer takes. `logProb` is linear in x, so that it has a value, and a gradient, between the states too. Batch shape: that of
 * the logits without their last two dimensions; event shape `[N·C]`. Samples carry no gradient.
 *
 * @throws Error if the logits are not a float32 tensor `[..., N, C]`.
 */
export class OneHotCategorical implements Distribution {
  readonly parameters: OneHotCategoricalOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[];
  readonly reparameterised = false;

  constructor(options: OneHotCategoricalOptions) {
    checkReal("OneHotCategorical: logits", options.logits);
    const { shape } = options.logits;
    if (shape.length < 2)
      throw new Error(`OneHotCategorical: logits must have the shape [..., N, C], not ${formatShape(shape)}.`);
    this.parameters = options;
    this.batchShape = shape.slice(0, -2);
    this.eventShape = [shape[shape.length - 2]! * shape[shape.length - 1]!];
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    return tf.tidy(() => {
      const { logits } = this.parameters;
      return this.flat(oneHot(categorical(key, logits, sampleShape), logits.shape[logits.rank - 1]!));
    });
  }

  logProb(x: Tensor): Tensor {
    checkEvent("OneHotCategorical", x, this.eventShape);
    return tf.tidy(() => tf.sum(tf.mul(x, this.flat(this.logProbabilities())), -1));
  }

  /** `−Σ_n Σ_c p_nc log p_nc`. */
  entropy(): Tensor {
    return tf.tidy(() => {
      const logP = this.logProbabilities();
      return tf.neg(tf.sum(tf.mul(tf.exp(logP), logP), [logP.rank - 2, logP.rank - 1]));
    });
  }

  mean(): Tensor {
    return tf.tidy(() => this.flat(tf.softmax(this.parameters.logits)));
  }

  variance(): Tensor {
    return tf.tidy(() => {
      const p = this.mean();
      return tf.mul(p, tf.sub(1, p));
    });
  }

  private logProbabilities(): Tensor {
    return tf.sub(this.parameters.logits, logSumExp(this.parameters.logits, -1, true));
  }

  /** `[..., N, C]` to `[..., N·C]`. */
  private flat(x: Tensor): Tensor {
    return tf.reshape(x, [...x.shape.slice(0, -2), this.eventShape[0]!]);
  }
}

/** Indices `[...]` as vectors `[..., C]` with a 1 at the index, float32. @internal */
export function oneHot(index: Tensor, size: number): Tensor {
  return tf.tidy(() => tf.cast(tf.equal(tf.expandDims(tf.cast(index, "float32"), -1), tf.range(0, size)), "float32"));
}
