import { type Tensor, tf } from "../engine/tf.js";
import { IndependentParts, type IndependentPartsOptions } from "./independentParts.js";

/** Parameters of {@link Concatenated}: the laws of the vector's stretches, each of one event axis, all of one batch shape. */
export interface ConcatenatedOptions extends IndependentPartsOptions {}

/**
 * A vector made of independent stretches that each have a law of their own: `log p(x) = Σ_i log p_i(x_i)`, event shape `[Σ_i D_i]`.
 *
 * Counts beside positive weights, say. `Stacked` is for single coordinates.
 *
 * @throws Error if there is no part, a part's event has not one axis, or the batch shapes differ.
 */
export class Concatenated extends IndependentParts {
  constructor(options: ConcatenatedOptions) {
    super(options, "Concatenated", 1);
  }

  protected join(parts: readonly Tensor[]): Tensor {
    return parts.length === 1 ? tf.clone(parts[0]!) : tf.concat([...parts], -1);
  }

  protected cut(x: Tensor): Tensor[] {
    const sizes = this.parameters.parts.map((part) => part.eventShape[0]!);
    return sizes.length === 1 ? [x] : tf.split(x, sizes, -1);
  }
}
