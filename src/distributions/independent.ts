import type { Key } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { checkEvent } from "./check.js";
import type { Distribution } from "./distribution.js";

/** Parameters of {@link Independent}. */
export interface IndependentOptions<D extends Distribution = Distribution> {
  /** The distribution whose trailing batch dimensions become event dimensions. */
  readonly base: D;
  /** How many trailing batch dimensions; 1 makes vectors. */
  readonly eventRank: number;
}

/**
 * Treats the last `eventRank` batch dimensions of a distribution as one event: `log p(x) = Σ_d log p_d(x_d)`.
 *
 * `new Independent({ base: new Normal({ mean, scale }), eventRank: 1 })` with mean `[B, D]` is a batch `[B]` of diagonal Gaussians in D
 * dimensions.
 *
 * @throws Error if the base has fewer batch dimensions than `eventRank`.
 */
export class Independent<D extends Distribution = Distribution> implements Distribution {
  readonly base: D;
  readonly eventRank: number;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[];
  readonly reparameterised: boolean;

  constructor({ base, eventRank }: IndependentOptions<D>) {
    const rank = base.batchShape.length;
    if (!Number.isInteger(eventRank) || eventRank < 0 || eventRank > rank) {
      throw new Error(
        `Independent: eventRank must be an integer from 0 to the ${rank} batch dimensions of the base ${formatShape(base.batchShape)}, not ${eventRank}.`,
      );
    }
    this.base = base;
    this.eventRank = eventRank;
    this.batchShape = base.batchShape.slice(0, rank - eventRank);
    this.eventShape = [...base.batchShape.slice(rank - eventRank), ...base.eventShape];
    this.reparameterised = base.reparameterised;
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    return this.base.sample(key, sampleShape);
  }

  logProb(x: Tensor): Tensor {
    checkEvent("Independent", x, this.eventShape);
    if (this.base.logProbSummed) return this.base.logProbSummed(x, this.eventRank);
    return tf.tidy(() => this.sum(this.base.logProb(x)));
  }

  entropy(): Tensor {
    return tf.tidy(() => this.sum(this.base.entropy()));
  }

  mean(): Tensor {
    return this.base.mean();
  }

  variance(): Tensor {
    return this.base.variance();
  }

  private sum(x: Tensor): Tensor {
    const axes = Array.from({ length: this.eventRank }, (_, i) => x.rank - 1 - i);
    return axes.length ? tf.sum(x, axes) : tf.clone(x);
  }
}
