import type { Distribution } from "../distributions/distribution.js";
import type { Parameters } from "../engine/parameters.js";
import type { Key } from "../engine/random.js";
import type { Tensor2D, Tensor3D } from "../engine/tf.js";
import type { NoParameters } from "../models/problem.js";
import type { Hierarchy, Reverse } from "./hierarchicalFamily.js";

/** A family of auxiliaries τ(ψ | z, x; η), approximations of the reverse conditional q(ψ | z, x). */
export interface ReverseConditional<Eta extends Parameters> {
  /** Whether every gradient that matters flows through the draws, in η and in z. */
  readonly reparameterised: boolean;
  /** Parameters to start from. */
  init(key: Key): Eta;
  /** τ at η, for z `[M, B, D]` of a hierarchy and, where it looks at them, data x `[B, P]`; to be used inside one `tf.tidy`. */
  given(eta: Eta, at: ReverseInputs): Reverse;
}

/** What a {@link ReverseConditional} may look at. */
export interface ReverseInputs {
  readonly hierarchy: Hierarchy;
  /** `[M, B, D]`. */
  readonly z: Tensor3D;
  readonly x?: Tensor2D;
}

/** A {@link Reverse} from a distribution of batch shape `[M, B]` and event shape `[Dψ]`. */
export function reverseOf(distribution: Distribution): Reverse {
  return {
    sample: (key, draws) => distribution.sample(key, [draws]),
    logProb: (psi) => distribution.logProb(psi),
  };
}

/**
 * τ(ψ | z, x) = q(ψ | x): the mixing law itself, which ignores z. With it the estimate of log q(z | x) is SIVI's.
 *
 * @param options.shared whether the K draws of a datum serve all its M latents: K + M conditionals instead of (K + 1) M. Valid, as these draws do
 *   not depend on z; the M terms become dependent, which raises the variance of their average. Default false.
 */
export function mixingReverse(options: { readonly shared?: boolean } = {}): ReverseConditional<NoParameters> {
  return {
    reparameterised: true, // as far as q(ψ | x) is, which a problem asks anyway
    init: () => ({}),
    given: (_eta, { hierarchy: { mixing }, z }) => ({
      isMixing: true,
      sample: (key, draws) => mixing.sample(key, [draws, options.shared ? 1 : z.shape[0]]),
      logProb: (psi) => {
        if (mixing.logProb) return mixing.logProb(psi);
        throw new Error("mixingReverse: this q(ψ | x) is a sampler without a density.");
      },
    }),
  };
}

/**
 * τ(ψ | z, x) = q(ψ | z, x), exactly, where the hierarchy knows it: every weight is then q(z | x) itself.
 *
 * @throws Error (when evaluated) if the hierarchy does not know its reverse conditional.
 */
export const exactReverse: ReverseConditional<NoParameters> = {
  reparameterised: true, // the weights do not depend on ψ, so no path through a draw is missed
  init: () => ({}),
  given: (_eta, { hierarchy, z }) => {
    if (hierarchy.reverse) return hierarchy.reverse(z);
    throw new Error("exactReverse: this hierarchy does not know q(ψ | z, x); learn one with gaussianReverse.");
  },
};
