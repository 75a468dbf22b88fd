import { type Key, split } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { checkEvent } from "./check.js";
import type { Distribution } from "./distribution.js";

/** Parameters of {@link Stacked}. */
export interface StackedOptions {
  /** The laws of the coordinates, each of event shape `[]` and of one batch shape. */
  readonly parts: readonly Distribution[];
}

/**
 * A vector of independent coordinates that each have a law of their own: `log p(x) = Σ_d log p_d(x_d)`, event shape `[D]`.
 *
 * `Independent` is for coordinates of one law; this is for a positive number beside a probability, say. Batch shape: that of the parts.
 *
 * @throws Error if there is no part, a part is no law of single numbers, or their batch shapes differ.
 */
export class Stacked implements Distribution {
  readonly parameters: StackedOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[];
  /** Whether all parts are. */
  readonly reparameterised: boolean;

  constructor(options: StackedOptions) {
    const { parts } = options;
    const [first] = parts;
    if (!first) throw new Error("Stacked: the list of parts is empty; give one law a coordinate.");
    for (const [d, part] of parts.entries()) {
      if (part.eventShape.length > 0)
        throw new Error(`Stacked: part ${d} has the event shape ${formatShape(part.eventShape)}, but needs [].`);
      if (`${part.batchShape}` !== `${first.batchShape}`)
        throw new Error(
          `Stacked: part ${d} has the batch shape ${formatShape(part.batchShape)}, the first ${formatShape(first.batchShape)}; make them equal.`,
        );
    }
    this.parameters = options;
    this.batchShape = first.batchShape;
    this.eventShape = [parts.length];
    this.reparameterised = parts.every((part) => part.reparameterised);
  }

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const keys = split(key, this.eventShape[0]!);
    return this.each((part, d) => part.sample(keys[d]!, sampleShape));
  }

  logProb(x: Tensor): Tensor {
    checkEvent("Stacked", x, this.eventShape);
    return tf.tidy(() => {
      const columns = tf.split(x, this.eventShape[0]!, -1).map((column) => tf.squeeze(column, [-1]));
      return this.parameters.parts.map((part, d) => part.logProb(columns[d]!)).reduce((sum, logP) => tf.add(sum, logP));
    });
  }

  entropy(): Tensor {
    return tf.tidy(() => this.parameters.parts.map((part) => part.entropy()).reduce((sum, h) => tf.add(sum, h)));
  }

  mean(): Tensor {
    return this.each((part) => part.mean());
  }

  variance(): Tensor {
    return this.each((part) => part.variance());
  }

  private each(get: (part: Distribution, d: number) => Tensor): Tensor {
    return tf.tidy(() => tf.stack(this.parameters.parts.map(get), -1));
  }
}
