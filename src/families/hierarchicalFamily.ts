import type { Distribution } from "../distributions/distribution.js";
import type { Parameters } from "../engine/parameters.js";
import type { Key } from "../engine/random.js";
import type { Tensor, Tensor2D, Tensor3D } from "../engine/tf.js";

/**
 * The mixing law q(ψ | x), batch `[B]`, event `[Dψ]`. Every {@link Distribution} of that shape is one; so is a mere sampler, for which only
 * estimates that need no density of ψ are defined (SIVI's).
 */
export type Mixing = Pick<Distribution, "sample" | "reparameterised"> &
  Partial<Pick<Distribution, "logProb" | "mean" | "variance">>;

/**
 * A hierarchical q(z | x) = ∫ q(z | ψ, x) q(ψ | x) dψ at given parameters and data.
 *
 * Its tensors belong to the scope in which it was made: make it and use it inside one `tf.tidy`.
 */
export interface Hierarchy {
  /** q(ψ | x). */
  readonly mixing: Mixing;
  /**
   * q(z | ψ, x) for ψ `[..., B, Dψ]`: batch `[..., B]`, event `[D]`. Many ψ for each z cost one broadcast: with ψ `[K, M, B, Dψ]`,
   * `conditional(psi).logProb(z)` maps z `[M, B, D]` to `[K, M, B]`.
   */
  conditional(psi: Tensor): Distribution;
  /** The exact reverse conditional q(ψ | z, x), for z `[M, B, D]`, where it is known. */
  reverse?(z: Tensor3D): Reverse;
  /** The exact log q(z | x), `[M, B]`, where it is known. */
  logDensity?(z: Tensor3D): Tensor2D;
}

/** A law of ψ given z `[M, B, D]` (and x): an auxiliary τ(ψ | z, x), or the exact q(ψ | z, x). */
export interface Reverse {
  /** True of q(ψ | x) itself: q(ψ | x) / τ(ψ | z, x) is then 1, and no density of ψ is evaluated. */
  readonly isMixing?: boolean;
  /** J draws, `[J, M, B, Dψ]`; or `[J, 1, B, Dψ]`, where the same draws serve all M latents. */
  sample(key: Key, draws: number): Tensor;
  /** log τ(ψ | z, x), `[J, M, B]`, for ψ `[J, M, B, Dψ]`. */
  logProb(psi: Tensor): Tensor;
}

/** What turns parameters φ into one hierarchical q(z). */
export interface HierarchicalPosterior<Phi extends Parameters> {
  /** D, size of z. */
  readonly dimension: number;
  /** Dψ, size of ψ. */
  readonly mixingDimension: number;
  /** q at φ; to be made and used inside one `tf.tidy`. */
  hierarchy(phi: Phi): Hierarchy;
}

/** What turns φ and data x `[B, P]` into a hierarchical q(z | x). A {@link HierarchicalPosterior} is one that ignores x. */
export interface ConditionalHierarchicalPosterior<Phi extends Parameters> {
  /** D, size of z. */
  readonly dimension: number;
  /** Dψ, size of ψ. */
  readonly mixingDimension: number;
  /** q at φ and x; to be made and used inside one `tf.tidy`. What depends on x alone is computed here, once. */
  hierarchy(phi: Phi, x: Tensor2D): Hierarchy;
}

/** A hierarchical family that does not look at data. */
export interface HierarchicalFamily<Phi extends Parameters> extends HierarchicalPosterior<Phi> {
  /** Parameters to start from. */
  init(key: Key): Phi;
}

/** A hierarchy of which everything is known. */
export interface ExactHierarchy extends Required<Hierarchy> {
  readonly mixing: Required<Mixing>;
}

/** A hierarchical family that knows its density and its reverse conditional: where estimates are held to the truth. */
export interface ExactHierarchicalFamily<Phi extends Parameters> extends HierarchicalFamily<Phi> {
  hierarchy(phi: Phi): ExactHierarchy;
}

/** An amortised hierarchical family. */
export interface ConditionalHierarchicalFamily<Phi extends Parameters> extends ConditionalHierarchicalPosterior<Phi> {
  /** Parameters to start from. */
  init(key: Key): Phi;
}
