import { onOwnTape } from "../engine/ownTape.js";
import type { Parameters } from "../engine/parameters.js";
import type { Key } from "../engine/random.js";
import { type Scalar, type Tensor, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import type { Hierarchy, Mixing } from "../families/hierarchicalFamily.js";
import type { ReverseConditional } from "../families/reverseConditional.js";
import type { NoParameters } from "../models/problem.js";
import { logSumExp } from "../ops/logSumExp.js";
import { hmcChain } from "../samplers/hmcChain.js";
import { slopeAt } from "../samplers/slope.js";
import { logWeight } from "./marginal.js";

/** What a {@link ReverseSampler} looks at: latents with the ψ_0 they were drawn given. All of it is a constant to it. */
export interface ReverseSamplerInputs {
  readonly hierarchy: Hierarchy;
  /** `[M, B, D]`. */
  readonly z: Tensor3D;
  /** ψ_0 `[M, B, Dψ]`: one exact draw of q(ψ | z, x), but the very one that z was made from. */
  readonly psi0: Tensor3D;
  /** Data `[B, P]`, where the sampler looks at them. */
  readonly x?: Tensor2D;
  readonly key: Key;
}

/** What a {@link ReverseSampler} drew. */
export type ReverseDraws = {
  /** ψ′ `[S, M, B, Dψ]`, or `[S, 1, B, Dψ]` where the same draws serve all M latents. */
  readonly psi: Tensor;
  /** `[S, M, B]`, with sum 1 over S. Left out where the draws count alike. */
  readonly weights?: Tensor;
  /** Of a chain: its transitions' mean acceptance probability, `[M, B]`. */
  readonly acceptanceProbability?: Tensor;
  /** Of a sampler that learns: a scalar whose gradient in its own parameters is the direction in which an ascent should move them. */
  readonly objective?: Scalar;
};

/**
 * A way to draw ψ′ from the reverse conditional q(ψ | z, x), exactly or about: what {@link marginalScore} averages over.
 *
 * `uivi` is unbiased as far as two things hold: the draws have the law q(ψ | z, x), and are independent of ψ_0 given z.
 */
export interface ReverseSampler<Eta extends Parameters> {
  readonly name: string;
  /** Parameters of its own to start from; `{}` where it has none. */
  init(key: Key): Eta;
  /** Draws at η; to be used inside one `tf.tidy`. */
  sample(eta: Eta, inputs: ReverseSamplerInputs): ReverseDraws;
}

/**
 * S independent draws of the exact q(ψ | z, x), where the hierarchy knows it: `uivi` is then unbiased.
 *
 * @throws Error if S is not a positive integer; when evaluated, if the hierarchy does not know its reverse conditional.
 */
export function exactReverseSampler(options: { readonly samples?: number } = {}): ReverseSampler<NoParameters> {
  const { samples = 1 } = options;
  checkCount("exactReverseSampler: samples", samples, 1);
  return {
    name: "exact",
    init: () => ({}),
    sample: (_eta, { hierarchy, z, key }) => {
      if (hierarchy.reverse) return onOwnTape(() => ({ psi: hierarchy.reverse!(z).sample(key, samples) }));
      throw new Error("exactReverseSampler: this hierarchy does not know q(ψ | z, x); use hmcReverseSampler.");
    },
  };
}

/**
 * ψ′ = ψ_0 itself, a chain of no transition: its law is right and its independence of ψ_0 nil.
 *
 * `uivi` then gives the gradient not of E[log p − log q(z)] but of the *conditional* E[log p − log q(z | ψ)], a looser lower bound: of the entropy it
 * sees the part that is left when ψ is known, and nothing that spreads the conditionals' means. It is where every chain starts.
 */
export const ownReverseSampler: ReverseSampler<NoParameters> = {
  name: "own",
  init: () => ({}),
  sample: (_eta, { psi0 }) => ({ psi: tf.expandDims(psi0, 0) }),
};

/**
 * K draws of an auxiliary τ(ψ | z, x), weighted by q(z | ψ) q(ψ) / τ(ψ | z, x) over their sum: IWHVI's weights without ψ_0's.
 *
 * Independent of ψ_0, and of the right law only as K → ∞ or at the exact τ: its bias is O(1/K). τ = q(ψ | x) (`mixingReverse`) makes the weights SIVI's.
 * τ's parameters get no gradient here: learn τ by an IWHVI bound.
 *
 * @throws Error if K is not a positive integer; when evaluated, as `iwhvi`.
 */
export function importanceReverseSampler<Eta extends Parameters>(options: {
  readonly reverse: ReverseConditional<Eta>;
  readonly samples: number;
}): ReverseSampler<Eta> {
  const { reverse, samples } = options;
  checkCount("importanceReverseSampler: samples", samples, 1);
  return {
    name: "importance",
    init: (key) => reverse.init(key),
    sample: (eta, { hierarchy, z, x, key }) =>
      onOwnTape(() => {
        const tau = reverse.given(eta, { hierarchy, z, x });
        const psi = tau.sample(key, samples);
        const { mixing } = hierarchy;
        const logW = logWeight({ z, psi, mixing, tau, conditional: hierarchy.conditional(psi) });
        return { psi, weights: tf.exp(tf.sub(logW, logSumExp(logW, 0, true))) };
      }),
  };
}

/** Parameters of {@link hmcReverseSampler}. */
export type HmcReverseParameters = {
  /** log ε, one for all chains. */
  readonly logStepSize: Scalar;
};

/** Options of {@link hmcReverseSampler}; the defaults are the paper's, but for the jitter. */
export interface HmcReverseOptions {
  /** Transitions before the first that is kept, ≥ 0. Default 5. */
  readonly burnIn?: number;
  /** S ≥ 1, transitions that are kept and averaged over. Default 5. */
  readonly samples?: number;
  /** L ≥ 1. Default 5. */
  readonly leapfrogSteps?: number;
  /** ε to start from, in units of ψ. Default 0.2. */
  readonly stepSize?: number;
  /** Acceptance probability that the step size is moved towards, or "none" to keep it. Default 0.9. */
  readonly targetAcceptance?: number | "none";
  /** j in [0, 1): each chain's trajectory uses ε U, U uniform on [1 − j, 1 + j). Default 0.2; 0 in the paper. */
  readonly jitter?: number;
}

/**
 * Hamiltonian Monte Carlo on q(ψ | z, x) ∝ q(ψ | x) q(z | ψ, x), one chain for each latent, started at its ψ_0.
 *
 * The start is an exact draw, so every state has the law q(ψ | z, x) however short the chain; but **it is independent of ψ_0 only after burn-in**, in the
 * limit. `uivi`'s bias is what correlation is left: for z = aε + σu, with ρ the correlation of ε′ and ε given z, the entropy's
 * ∂a is (1 − ρ) times the true one. Acceptance does not tell: on a Gaussian of deviation s, L steps with ε = 2s sin(π/L) come back to where they were,
 * are all accepted, and keep ρ = 1 for ever. Adaptation can run into such a step size, hence the jitter.
 *
 * The step size is frozen within a chain and adapted from one training step to the next. log ε is a parameter like others: the
 * direction of its ascent is ā − target, ā the mean acceptance of all chains, so that whatever ascends the bound also runs the Robbins–Monro recursion log ε ← log ε + rate · (ā − target);
 * it is trained, averaged and checkpointed with the rest. Under Adam a step changes it by about the learning rate, relatively.
 *
 * @throws Error if an option is out of range; when evaluated, if q(ψ | x) has no density.
 * Source: Titsias & Ruiz 2019 (sampler and settings); the recursion is Hoffman & Gelman 2014, eq. 5, in the step's own state.
 */
export function hmcReverseSampler(options: HmcReverseOptions = {}): ReverseSampler<HmcReverseParameters> {
  const { burnIn = 5, samples = 5, leapfrogSteps = 5, stepSize = 0.2, targetAcceptance = 0.9, jitter = 0.2 } = options;
  checkCount("hmcReverseSampler: burnIn", burnIn, 0);
  checkCount("hmcReverseSampler: samples", samples, 1);
  checkCount("hmcReverseSampler: leapfrogSteps", leapfrogSteps, 1);
  if (!(stepSize > 0 && stepSize < Infinity))
    throw new Error(`hmcReverseSampler: stepSize must be positive and finite, not ${stepSize}.`);
  if (targetAcceptance !== "none" && !(targetAcceptance > 0 && targetAcceptance < 1))
    throw new Error(`hmcReverseSampler: targetAcceptance must be between 0 and 1, or "none", not ${targetAcceptance}.`);
  if (!(jitter >= 0 && jitter < 1)) throw new Error(`hmcReverseSampler: jitter must be in [0, 1), not ${jitter}.`);
  return {
    name: "HMC",
    init: () => ({ logStepSize: tf.scalar(Math.log(stepSize)) }),
    sample: ({ logStepSize }, { hierarchy, z, psi0, key }) => {
      const logMixing = densityOf(hierarchy.mixing);
      const { positions, acceptanceProbability } = hmcChain({
        logDensity: (psi) => tf.add(logMixing(psi), hierarchy.conditional(psi).logProb(z)),
        position: psi0,
        stepSize: tf.exp(logStepSize),
        leapfrogSteps,
        jitter,
        burnIn,
        samples,
        key,
      });
      const draws = { psi: positions, acceptanceProbability };
      if (targetAcceptance === "none") return draws;
      const surplus = tf.sub(tf.mean(acceptanceProbability), targetAcceptance);
      return { ...draws, objective: tf.mul(logStepSize, surplus) as Scalar };
    },
  };
}

/**
 * ∇_z log q(z | x) = E_{q(ψ | z, x)} ∇_z log q(z | ψ, x), estimated by a {@link ReverseSampler}'s draws, `[M, B, D]`: a constant to any derivative around it.
 *
 * @throws Error if the conditional does not give one log-density for each draw and latent.
 * Source: Titsias & Ruiz 2019.
 */
export function marginalScore(inputs: {
  readonly hierarchy: Hierarchy;
  /** `[M, B, D]`. */
  readonly z: Tensor3D;
  readonly draws: ReverseDraws;
}): Tensor3D {
  const { hierarchy, z, draws } = inputs;
  const { psi, weights } = draws;
  return onOwnTape(() => {
    const conditional = hierarchy.conditional(psi);
    const average = (z: Tensor): Tensor => {
      const logQ = conditional.logProb(z);
      return weights ? tf.sum(tf.mul(weights, logQ), 0) : tf.mean(logQ, 0);
    };
    return slopeAt(average, z).gradient as Tensor3D;
  });
}

function densityOf(mixing: Mixing): (psi: Tensor) => Tensor {
  const { logProb } = mixing;
  if (logProb) return (psi) => logProb.call(mixing, psi);
  throw new Error(
    "hmcReverseSampler: this q(ψ | x) is a sampler without a density; write ψ as a function of noise (implicitMixing).",
  );
}

function checkCount(name: string, count: number, least: number): void {
  if (!Number.isInteger(count) || count < least)
    throw new Error(`${name} must be an integer of at least ${least}, not ${count}.`);
}
