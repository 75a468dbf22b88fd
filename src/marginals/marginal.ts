import type { Distribution } from "../distributions/distribution.js";
import type { Parameters } from "../engine/parameters.js";
import { type Key, split } from "../engine/random.js";
import { checkShape, formatShape } from "../engine/shape.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import type { Hierarchy, Mixing, Reverse } from "../families/hierarchicalFamily.js";
import { mixingReverse, type ReverseConditional } from "../families/reverseConditional.js";
import type { NoParameters } from "../models/problem.js";
import { logMeanExp } from "../ops/logMeanExp.js";

/** An estimate of log q(z | x) for a hierarchical q, from an auxiliary τ and K draws of it. */
export interface Marginal<Eta extends Parameters> {
  readonly reverse: ReverseConditional<Eta>;
  /** K ≥ 0, draws of τ for each z. */
  readonly samples: number;
  /**
   * log w_k = log q(z | ψ_k, x) + log q(ψ_k | x) − log τ(ψ_k | z, x): `[K + 1, M, B]` with ψ_0's first, or `[K, M, B]` where no ψ_0 is given.
   *
   * @throws Error if ψ_0 or the weights do not have the shape that z asks for, or if neither ψ_0 nor K ≥ 1 is given.
   */
  logWeights(inputs: MarginalInputs<Eta>): Tensor3D;
  /**
   * log of the weights' mean, `[M, B]`: above log q(z | x) in expectation with ψ_0 (an upper bound), below without (a lower bound).
   *
   * @throws Error as `logWeights`.
   */
  logDensity(inputs: MarginalInputs<Eta>): Tensor2D;
}

/** Where a {@link Marginal} looks. */
export interface MarginalInputs<Eta extends Parameters> {
  readonly hierarchy: Hierarchy;
  /** τ's parameters. */
  readonly eta: Eta;
  /** `[M, B, D]`. */
  readonly z: Tensor3D;
  /** ψ_0 `[M, B, Dψ]`, *the one that z was drawn given*; leave it out for the lower bound. */
  readonly psi0?: Tensor3D;
  /** q(z | ψ_0, x), where it is at hand: it saves one evaluation of the conditional. */
  readonly conditional?: Distribution;
  /** Data `[B, P]`, where τ looks at them. */
  readonly x?: Tensor2D;
  readonly key: Key;
}

/**
 * The importance-weighted estimate of log q(z | x) = log ∫ q(z | ψ, x) q(ψ | x) dψ:
 *
 * log q̂(z | x) = log (1/(K+1)) Σ_{k=0}^{K} q(z | ψ_k, x) q(ψ_k | x) / τ(ψ_k | z, x), ψ_0 ~ q(ψ | z, x), ψ_1 … ψ_K ~ τ(ψ | z, x).
 *
 * A pair (ψ_0, z) drawn from q has ψ_0 ~ q(ψ | z, x), so its own ψ_0 is the draw to use. E log q̂ ≥ log q(z | x), falling with K to equality; with ψ_0
 * left out and 1/K in front, E log q̂ ≤ log q(z | x), rising with K. K = 0 is the hierarchical variational model's bound ({@link hvm}), τ = q(ψ | x) the
 * semi-implicit one ({@link sivi}), and τ = q(ψ | z, x) is exact for every K and every draw. It costs K + 1 conditionals a latent.
 *
 * @param options.reverse τ: `gaussianReverse`, `mixingReverse`, `exactReverse` or one's own.
 * @param options.samples K ≥ 0.
 * @throws Error if K is not an integer of at least 0.
 * Source: Sobolev & Vetrov 2019, section 3.1 (with ψ_0); Domke & Sheldon 2018 (without).
 */
export function iwhvi<Eta extends Parameters>(options: {
  readonly reverse: ReverseConditional<Eta>;
  readonly samples: number;
}): Marginal<Eta> {
  const { reverse, samples } = options;
  if (!Number.isInteger(samples) || samples < 0) {
    throw new Error(`The number K of draws of τ must be an integer of at least 0, not ${samples}.`);
  }
  const logWeights = (inputs: MarginalInputs<Eta>): Tensor3D => {
    const { hierarchy, eta, z, psi0, x, key } = inputs;
    if (!psi0 && samples === 0) {
      throw new Error(
        "A lower bound on log q(z | x) needs K ≥ 1 draws of τ: without ψ_0 and with K = 0 there is no weight.",
      );
    }
    checkShape("The latents z", z, ["*", "*", "*"]);
    if (psi0) checkShape("ψ_0, one for each z,", psi0, [z.shape[0], z.shape[1], "*"]);
    return tf.tidy(() => {
      const tau = reverse.given(eta, { hierarchy, z, x });
      const { mixing } = hierarchy;
      const rows: Tensor3D[] = [];
      if (psi0) {
        const psi = tf.expandDims(psi0, 0);
        rows.push(logWeight({ z, psi, mixing, tau, conditional: inputs.conditional ?? hierarchy.conditional(psi) }));
      }
      if (samples > 0) {
        const psi = tau.sample(key, samples);
        rows.push(logWeight({ z, psi, mixing, tau, conditional: hierarchy.conditional(psi) }));
      }
      return tf.concat(rows, 0);
    });
  };
  return {
    reverse,
    samples,
    logWeights,
    logDensity: (inputs) => tf.tidy(() => logMeanExp(logWeights(inputs), 0) as Tensor2D),
  };
}

/**
 * The one-sample estimate log q(z, ψ_0 | x) − log τ(ψ_0 | z, x): {@link iwhvi} with K = 0.
 *
 * Source: Ranganath, Tran & Blei 2016; Sobolev & Vetrov 2019, section 2.
 */
export function hvm<Eta extends Parameters>(options: { readonly reverse: ReverseConditional<Eta> }): Marginal<Eta> {
  return iwhvi({ ...options, samples: 0 });
}

/**
 * The semi-implicit estimate log (1/(K+1)) Σ_{k=0}^{K} q(z | ψ_k, x) with ψ_1 … ψ_K ~ q(ψ | x): {@link iwhvi} with τ = q(ψ | x).
 *
 * @param options.shared whether a datum's K draws serve all its M latents: K + M conditionals q(z | ψ, x) in place of (K + 1) M, each of the K then at M latents. Each weight's law
 *   is the same, so E[p(x, z)/q̂] = p(x) holds and the ELBO's bound is the same number; the M weights become dependent, so the variance of their mean grows, and L_M falls. A replicate of `estimateBound` has its own draws only with `chunk: M`. Default false.
 * Source: Yin & Zhou 2018; Sobolev & Vetrov 2019, section 2 (with ψ_0, as here) and 2.1 (what it costs in high dimension).
 */
export function sivi(options: { readonly samples: number; readonly shared?: boolean }): Marginal<NoParameters> {
  const { samples, shared } = options;
  return iwhvi({ reverse: mixingReverse({ shared }), samples });
}

/**
 * log q(z | ψ, x) + log q(ψ | x) − log τ(ψ | z, x), `[J, M, B]`, for J draws of ψ.
 *
 * @throws Error if the result has another shape, or if q(ψ | x) has no density and τ is another law.
 */
export function logWeight(parts: {
  readonly z: Tensor3D;
  /** `[J, M, B, Dψ]`, or `[J, 1, B, Dψ]`. */
  readonly psi: Tensor;
  readonly mixing: Mixing;
  readonly tau: Reverse;
  readonly conditional: Distribution;
}): Tensor3D {
  const { z, psi, mixing, tau, conditional } = parts;
  const log = conditional.logProb(z);
  const logW = tau.isMixing ? log : tf.add(log, tf.sub(logMixing(mixing, psi), tau.logProb(psi)));
  const expected: [number, number, number] = [psi.shape[0], z.shape[0], z.shape[1]];
  if (logW.size !== expected[0] * expected[1] * expected[2]) {
    throw new Error(
      `The weights of ${expected[0]} ψ for z ${formatShape(z.shape)} have the shape ${formatShape(logW.shape)}, not ${formatShape(expected)}; ` +
        "look at the batch and event shapes of q(z | ψ, x), q(ψ | x) and τ.",
    );
  }
  return tf.reshape(logW, expected);
}

/** log q(ψ | x), `[J, M, B]`. */
function logMixing(mixing: Mixing, psi: Tensor): Tensor {
  if (mixing.logProb) return mixing.logProb(psi);
  throw new Error(
    "This q(ψ | x) is a sampler without a density, which only SIVI (τ = q(ψ | x)) can do with; " +
      "write ψ as a function of noise (implicitMixing) to learn a τ.",
  );
}

/** Draws from a hierarchical q. */
export interface HierarchicalDraws {
  /** `[M, B, D]`. */
  readonly z: Tensor3D;
  /** ψ_0 `[M, B, Dψ]`, which z was drawn given. */
  readonly psi: Tensor3D;
}

/**
 * M draws for each datum: ψ_0 ~ q(ψ | x), z ~ q(z | ψ_0, x), with the conditional at ψ_0.
 *
 * Source: Sobolev & Vetrov 2019, section 4.1, steps 1 and 2.
 */
export function sampleHierarchy(
  hierarchy: Hierarchy,
  key: Key,
  samples: number,
): HierarchicalDraws & { readonly conditional: Distribution } {
  const [mixing, latent] = split(key);
  const psi = hierarchy.mixing.sample(mixing, [samples]) as Tensor3D;
  const conditional = hierarchy.conditional(psi);
  return { psi, conditional, z: conditional.sample(latent) as Tensor3D };
}
