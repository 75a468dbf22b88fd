import { type Key, split } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { checkEvent } from "./check.js";
import type { Distribution } from "./distribution.js";

/** Parameters of {@link IndependentParts}. */
export interface IndependentPartsOptions {
  /** The laws of the parts, all of one batch shape. */
  readonly parts: readonly Distribution[];
}

/**
 * A vector of independent parts, `log p(x) = Σ_i log p_i(x_i)`: what `Stacked` and `Concatenated` share. They say what a part may be, and how parts and vector
 * become each other.
 */
export abstract class IndependentParts implements Distribution {
  readonly parameters: IndependentPartsOptions;
  readonly batchShape: readonly number[];
  readonly eventShape: readonly number[];
  /** Whether all parts are. */
  readonly reparameterised: boolean;

  /**
   * @param name - what errors call the law.
   * @param axes - event axes of a part.
   * @internal
   */
  protected constructor(
    options: IndependentPartsOptions,
    private readonly name: string,
    axes: 0 | 1,
  ) {
    const { parts } = options;
    const [first] = parts;
    if (!first) throw new Error(`${name}: the list of parts is empty; give at least one law.`);
    for (const [i, part] of parts.entries()) {
      if (part.eventShape.length !== axes)
        throw new Error(
          `${name}: part ${i} has the event shape ${formatShape(part.eventShape)}, but needs ${axes === 0 ? "[]" : "one axis"}.`,
        );
      if (`${part.batchShape}` !== `${first.batchShape}`)
        throw new Error(
          `${name}: part ${i} has the batch shape ${formatShape(part.batchShape)}, the first ${formatShape(first.batchShape)}; make them equal.`,
        );
    }
    this.parameters = options;
    this.batchShape = first.batchShape;
    this.eventShape = [parts.reduce((sum, part) => sum + (part.eventShape[0] ?? 1), 0)];
    this.reparameterised = parts.every((part) => part.reparameterised);
  }

  /** The vector of the parts' values. */
  protected abstract join(parts: readonly Tensor[]): Tensor;
  /** The values of the parts. */
  protected abstract cut(x: Tensor): Tensor[];

  sample(key: Key, sampleShape: readonly number[] = []): Tensor {
    const keys = split(key, this.parameters.parts.length);
    return this.each((part, i) => part.sample(keys[i]!, sampleShape));
  }

  logProb(x: Tensor): Tensor {
    checkEvent(this.name, x, this.eventShape);
    return tf.tidy(() => {
      const values = this.cut(x);
      return this.parameters.parts.map((part, i) => part.logProb(values[i]!)).reduce((sum, logP) => tf.add(sum, logP));
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
    return tf.tidy(() => this.join(this.parameters.parts.map(get)));
  }
}
