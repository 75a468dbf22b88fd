import { type Key, split } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { checkEvent } from "./check.js";
import type { Distribution } from "./distribution.js";

/** Parameters of {@link Concatenated}. */
export interface ConcatenatedOptions {
  /** The laws of the vector's stretches, each of one event axis, all of one batch shape. */
  readonly parts: readonly Distribution[];
}

/**
 * A vector made of independent stretches that each have a law of their own: `log p(x) = Σ_i log p_i(x_i)`, event shape `[Σ_i D_i]`.
 *
 * Counts beside positive weights, say. `Stacked` is for single coordinates.
 *
 * @throws Error if there is no part, a part's event has not one axis, or the batch shapes differ.
 */
export class Concatenated implements Distribution {
  readonly parameters: ConcatenatedOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[];
  /** Whether all parts are. */
  readonly reparameterised: boolean;

  constructor(options: ConcatenatedOptions) {
    const { parts } = options;
    const [first] = parts;
    if (!first) throw new Error("Concatenated: the list of parts is empty; give one law a stretch of the vector.");
    for (const [i, part] of parts.entries()) {
      if (part.eventShape.length !== 1)
        throw new Error(
          `Concatenated: part ${i} has the event shape ${formatShape(part.eventShape)}, but needs one axis.`,
        );
      if (`${part.batchShape}` !== `${first.batchShape}`)
        throw new Error(
          `Concatenated: part ${i} has the batch shape ${formatShape(part.batchShape)}, the first ${formatShape(first.batchShape)}; make them equal.`,
        );
    }
    this.parameters = options;
    this.batchShape = first.batchShape;
    this.eventShape = [parts.reduce((sum, part) => sum + part.eventShape[0]!, 0)];
    this.reparameterised = parts.every((part) => part.reparameterised);
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const keys = split(key, this.parameters.parts.length);
    return this.each((part, i) => part.sample(keys[i]!, sampleShape));
  }

  logProb(x: Tensor): Tensor {
    checkEvent("Concatenated", x, this.eventShape);
    return tf.tidy(() => {
      const { parts } = this.parameters;
      const sizes = parts.map((part) => part.eventShape[0]!);
      const stretches = parts.length === 1 ? [x] : tf.split(x, sizes, -1);
      return parts.map((part, i) => part.logProb(stretches[i]!)).reduce((sum, logP) => tf.add(sum, logP));
    });
  }

  /** @throws Error if a part's entropy has no closed form. */
  entropy(): Tensor {
    return tf.tidy(() => this.parameters.parts.map((part) => part.entropy()).reduce((sum, h) => tf.add(sum, h)));
  }

  mean(): Tensor {
    return this.each((part) => part.mean());
  }

  variance(): Tensor {
    return this.each((part) => part.variance());
  }

  private each(get: (part: Distribution, i: number) => Tensor): Tensor {
    return tf.tidy(() => {
      const stretches = this.parameters.parts.map(get);
      return stretches.length === 1 ? tf.clone(stretches[0]!) : tf.concat(stretches, -1);
    });
  }
}
