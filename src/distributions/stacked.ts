import { type Tensor, tf } from "../engine/tf.js";
import { IndependentParts, type IndependentPartsOptions } from "./independentParts.js";

/** Parameters of {@link Stacked}: the laws of the coordinates, each of event shape `[]` and of one batch shape. */
export interface StackedOptions extends IndependentPartsOptions {}

/**
 * A vector of independent coordinates that each have a law of their own: `log p(x) = Σ_d log p_d(x_d)`, event shape `[D]`.
 *
 * `Independent` is for coordinates of one law; this is for a positive number beside a probability, say. Batch shape: that of the parts.
 *
 * @throws Error if there is no part, a part is no law of single numbers, or their batch shapes differ.
 */
export class Stacked extends IndependentParts {
  constructor(options: StackedOptions) {
    super(options, "Stacked", 0);
  }

  protected join(parts: readonly Tensor[]): Tensor {
    return tf.stack([...parts], -1);
  }

  protected cut(x: Tensor): Tensor[] {
    return tf.split(x, this.eventShape[0]!, -1).map((column) => tf.squeeze(column, [-1]));
  }
}
