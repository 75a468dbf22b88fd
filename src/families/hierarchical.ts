import type { Distribution } from "../distributions/distribution.js";
import type { Parameters } from "../engine/parameters.js";
import { type Key, split } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import type { Tensor, Tensor2D } from "../engine/tf.js";
import type { ConditionalFamily, Family } from "./family.js";
import type { ConditionalHierarchicalFamily, HierarchicalFamily } from "./hierarchicalFamily.js";

/** A family of conditionals q(z | ψ, x; φ). */
export interface Conditional<Phi extends Parameters> {
  /** D, size of z. */
  readonly dimension: number;
  /** Dψ, size of ψ. */
  readonly mixingDimension: number;
  /** Parameters to start from. */
  init(key: Key): Phi;
  /** At φ and x: the map from ψ `[..., B, Dψ]` to q(z | ψ, x), batch `[..., B]`, event `[D]`. */
  given(phi: Phi, x?: Tensor2D): (psi: Tensor) => Distribution;
}

/** Parameters of {@link hierarchical}: those of q(ψ | x) and those of q(z | ψ, x). */
export type HierarchicalFamilyParameters<Mix extends Parameters, Phi extends Parameters> = {
  readonly mixing: Mix;
  readonly conditional: Phi;
};

/**
 * The hierarchical family q(z | x) = ∫ q(z | ψ, x) q(ψ | x) dψ, of any family for ψ and any conditional for z.
 *
 * ```ts
 * const q = hierarchical({
 *   mixing: standardNormal({ dimension: 3 }),
 *   conditional: gaussianConditional({ latent: 2, mixing: 3, hidden: [50, 50] }),
 * });
 * ```
 *
 * The mixing family may look at data (`amortisedGaussian`), hold parameters of its own (`meanFieldGaussian`) or none (`standardNormal`).
 *
 * @throws Error if the two disagree on the size of ψ; when evaluated, if the mixing law's batch is not that of the data.
 * Source: Ranganath, Tran & Blei 2016, section 2; Yin & Zhou 2018, section 2.
 */
export function hierarchical<Mix extends Parameters, Phi extends Parameters>(parts: {
  readonly mixing: Family<Mix>;
  readonly conditional: Conditional<Phi>;
}): HierarchicalFamily<HierarchicalFamilyParameters<Mix, Phi>>;
export function hierarchical<Mix extends Parameters, Phi extends Parameters>(parts: {
  readonly mixing: ConditionalFamily<Mix>;
  readonly conditional: Conditional<Phi>;
}): ConditionalHierarchicalFamily<HierarchicalFamilyParameters<Mix, Phi>>;
export function hierarchical<Mix extends Parameters, Phi extends Parameters>(parts: {
  readonly mixing: ConditionalFamily<Mix>;
  readonly conditional: Conditional<Phi>;
}): ConditionalHierarchicalFamily<HierarchicalFamilyParameters<Mix, Phi>> {
  const { mixing, conditional } = parts;
  if (mixing.dimension !== conditional.mixingDimension) {
    throw new Error(
      `hierarchical: the mixing family has ${mixing.dimension} dimensions, but the conditional takes ψ of ${conditional.mixingDimension}; make them equal.`,
    );
  }
  return {
    dimension: conditional.dimension,
    mixingDimension: mixing.dimension,
    init: (key) => {
      const [first, second] = split(key);
      return { mixing: mixing.init(first), conditional: conditional.init(second) };
    },
    hierarchy: (phi, x) => {
      const law = mixing.distribution(phi.mixing, x);
      if (x && law.batchShape[0] !== x.shape[0]) {
        throw new Error(
          `hierarchical: the mixing law has batch shape ${formatShape(law.batchShape)} for ${x.shape[0]} data; give it one batch entry a datum.`,
        );
      }
      return { mixing: law, conditional: conditional.given(phi.conditional, x) };
    },
  };
}
