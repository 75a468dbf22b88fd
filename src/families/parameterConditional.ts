import type { Distribution } from "../distributions/distribution.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import type { NoParameters } from "../models/problem.js";
import { checkSize } from "./family.js";
import type { Conditional } from "./hierarchical.js";

/** Options of {@link parameterConditional}. */
export interface ParameterConditionalOptions {
  /** D, size of z. */
  readonly latent: number;
  /** How λ is cut: one size for each tensor that `law` is handed. Their sum is the size of λ. */
  readonly sizes: readonly number[];
  /** q(z | λ), batch `[..., B]` and event `[D]`, from tensors `[..., B, size]`. */
  law(parts: readonly Tensor[]): Distribution;
}

/**
 * q(z | λ) with the mixing variable λ as its very parameters: the conditional of hierarchical sampling, λ ~ q(λ | α), z ~ q(z | λ), which has none of its own.
 *
 * ```ts
 * // A mean-field Gaussian whose means and log-scales are drawn.
 * parameterConditional({
 *   latent: 2, sizes: [2, 2],
 *   law: ([mean, logScale]) => new Independent({ base: new Normal({ mean, scale: exp(logScale) }), eventRank: 1 }),
 * });
 * ```
 *
 * @throws Error if D or a size is not a positive integer, or there are no sizes; when evaluated, if λ has another width or the law's event is not `[D]`.
 * Source: Chaney 2015, section 2; Ranganath, Tran & Blei 2016, section 2.
 */
export function parameterConditional(options: ParameterConditionalOptions): Conditional<NoParameters> {
  const { latent, sizes, law } = options;
  checkSize("parameterConditional: latent", latent);
  if (sizes.length === 0) throw new Error("parameterConditional: sizes is empty; give one for each part of λ.");
  for (const size of sizes) checkSize("parameterConditional: a size in sizes", size);
  const width = sizes.reduce((sum, size) => sum + size, 0);
  return {
    dimension: latent,
    mixingDimension: width,
    init: () => ({}),
    given: () => (lambda) => {
      checkShape("parameterConditional: λ", lambda, ["...", width]);
      const distribution = law(sizes.length === 1 ? [lambda] : tf.split(lambda, [...sizes], -1));
      const { eventShape } = distribution;
      if (eventShape.length === 1 && eventShape[0] === latent) return distribution;
      throw new Error(
        `parameterConditional: the law has the event shape [${eventShape.join(", ")}], but z needs [${latent}].`,
      );
    },
  };
}
