import type { Parameters } from "../engine/parameters.js";
import { type Key, split } from "../engine/random.js";
import type { Tensor, Tensor2D } from "../engine/tf.js";
import type { Conditional } from "./hierarchical.js";

/** A map ψ = g(ε, x; φ) that makes an implicit law of ψ out of noise. */
export interface NoiseMap<Phi extends Parameters> {
  /** Size of ε. */
  readonly noiseDimension: number;
  /** Parameters to start from. */
  init(key: Key): Phi;
  /** At φ and x: the map from ε `[..., B, Dε]` to ψ `[..., B, Dψ]`. */
  given(phi: Phi, x?: Tensor2D): (epsilon: Tensor) => Tensor;
}

/** Parameters of {@link implicitMixing}. */
export type ImplicitMixingParameters<Map extends Parameters, Phi extends Parameters> = {
  readonly map: Map;
  readonly conditional: Phi;
};

/**
 * An implicit mixing law rewritten as an explicit one: q(z | ε, x) = q(z | ψ = g(ε, x), x), so that ε takes the place of ψ.
 *
 * q(ψ | x) has no density, ε has; q(z | x) = ∫ q(z | g(ε, x), x) q(ε) dε is the same law. Every estimate of log q(z | x) then applies, and an
 * auxiliary τ(ε | z, x) may be learnt. Give the result to `hierarchical` with the noise's own law as `mixing`.
 *
 * @param options.conditional what takes ψ.
 * Source: Sobolev & Vetrov 2019, section 2.1.
 */
export function implicitMixing<Map extends Parameters, Phi extends Parameters>(options: {
  readonly map: NoiseMap<Map>;
  readonly conditional: Conditional<Phi>;
}): Conditional<ImplicitMixingParameters<Map, Phi>> {
  const { map, conditional } = options;
  return {
    dimension: conditional.dimension,
    mixingDimension: map.noiseDimension,
    init: (key) => {
      const [first, second] = split(key);
      return { map: map.init(first), conditional: conditional.init(second) };
    },
    given: (phi, x) => {
      const push = map.given(phi.map, x);
      const conditionalAt = conditional.given(phi.conditional, x);
      return (epsilon) => conditionalAt(push(epsilon));
    },
  };
}
