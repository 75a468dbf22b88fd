import type { Bound } from "../bounds/bound.js";
import { elbo } from "../bounds/elbo.js";
import { onOwnTape } from "../engine/ownTape.js";
import type { Parameters } from "../engine/parameters.js";
import { type Key, split } from "../engine/random.js";
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { logWeightsOf, timesKlWeight } from "../models/klWeight.js";
import { checkSamples, type Problem } from "../models/problem.js";
import { stopGradient } from "../ops/stopGradient.js";
import { type Baseline, noBaseline } from "./baselines.js";
import { type DeclaredGradient, declareGradient, type Standing, unbiased } from "./declared.js";
import type { GradientInputs } from "./gradient.js";

/** Options of the score-function gradients. */
export interface ScoreOptions {
  /** What is taken off the bound before it multiplies a score. Default {@link noBaseline}. */
  readonly baseline?: Baseline;
  /**
   * Whether the derivative of −log q inside the bound is kept: −c_k ∇ log q(z_k), the −1 of Chaney 2015's last line. Default: only where its mean is
   * not zero, that is for every bound but the ELBO.
   */
  readonly minusOne?: boolean;
}

/** A score-function gradient taken apart: Σ signal · ∇ log q, and the path through the model's parameters. */
export interface ScoreTerms<Phi extends Parameters, Z> {
  /** The draws, constants to φ. */
  readonly z: Z;
  /** log q of each draw, `[K, B]`, or of each factor of each draw, `[K, B, N]`. */
  readonly logQ: Tensor;
  /** What each score is multiplied by, of logQ's shape; a constant. */
  readonly signal: Tensor;
  /** L, `[B]`, through which θ's gradient flows, and not φ's. */
  readonly value: Tensor1D;
  /** What is climbed beside the bound, by parameters that it does not depend on. */
  readonly beside?: Scalar;
  /** What gives `logQ` again, for these draws or some of them. */
  density(phi: Phi, z: Z): Tensor;
}

/** A {@link DeclaredGradient} made of scores, which control variates can be put on. */
export interface ScoreGradient extends DeclaredGradient {
  /** Whether its signals have a baseline taken off already. */
  readonly hasBaseline: boolean;
  /** The scores and the weights on them, for one batch of draws. */
  terms<Theta extends Parameters, Phi extends Parameters, Z>(inputs: GradientInputs<Theta, Phi, Z>): ScoreTerms<Phi, Z>;
}

/**
 * The score-function gradient (REINFORCE) of any bound, for latents of any kind, continuous or discrete:
 *
 * ∇_φ E L = E Σ_k [(L − b_k) − c_k] ∇_φ log q(z_k; φ),  ∇_θ E L = E Σ_k c_k ∇_θ log p(x, z_k; θ).
 *
 * For the ELBO Σ_k c_k ∇ log q(z_k) has mean zero, so that both forms of Chaney 2015, with the −1 and without, are unbiased; for other bounds it has not.
 * With a problem's `klWeight` β, −β c_k takes the place of −c_k. It asks nothing of the model but log p(x, z), and its variance is the price: see `leaveOneOut`, `vimco`, `raoBlackwell` and `scoreControlVariate`.
 *
 * Unbiased for every bound, if log q is exact and the K draws are independent.
 *
 * @throws Error if `minusOne: false` is asked for another bound than the ELBO, if K is too small for the baseline, or if the problem's log q is an estimate.
 * Source: Ranganath, Gerrish & Blei 2014, section 2; Chaney 2015, section 1 (with the −1); Zhang et al. 2018, section 5.2 (without).
 */
export function scoreFunction(options: ScoreOptions = {}): ScoreGradient {
  const { baseline = noBaseline } = options;
  const terms: ScoreGradient["terms"] = ({ problem, bound, theta, phi, samples, key }) => {
    checkScoreSamples("scoreFunction", samples, baseline);
    const { z, estimate } = drawHeld("scoreFunction", problem, { phi, samples, key });
    const density = (at: typeof phi, draws: typeof z): Tensor => problem.logQ(at, draws, estimate);
    const logQ = density(phi, z);
    const logW = logWeightsOf(problem, problem.logP(theta, z), stopGradient(logQ));
    const signal = stopGradient(() => {
      const signal = baseline.signal(bound, logW);
      if (!keepsMinusOne(options, bound)) return signal;
      return tf.sub(signal, timesKlWeight(problem, bound.weights(logW))) as Tensor2D;
    });
    return { z, logQ, signal, value: bound.value(logW), density };
  };
  return scoreGradient(nameOf("scoreFunction", options), (bound) => standingOf(options, bound), terms, {
    hasBaseline: baseline !== noBaseline,
  });
}

/**
 * A score-function gradient from its terms.
 *
 * @internal
 */
export function scoreGradient(
  name: string,
  standing: (bound: Bound) => Standing,
  terms: ScoreGradient["terms"],
  { hasBaseline, scope = "any q, log q exact" }: { readonly hasBaseline: boolean; readonly scope?: string },
): ScoreGradient {
  const gradient = declareGradient(
    name,
    standing,
    (inputs) =>
      tidied(() => {
        const found = terms(inputs);
        return { value: found.value, surrogate: tf.mul(inputs.problem.scale, climbedBy(found)) as Scalar };
      }),
    scope,
  );
  return Object.assign(gradient, { terms, hasBaseline });
}

/**
 * Σ signal · log q + Σ L, and what is climbed beside it.
 *
 * @internal
 */
export function climbedBy<Phi extends Parameters, Z>({ logQ, signal, value, beside }: ScoreTerms<Phi, Z>): Tensor {
  const climbed = tf.add(tf.sum(tf.mul(signal, logQ)), tf.sum(value));
  return beside ? tf.add(climbed, beside) : climbed;
}

/** What a score-function gradient is called, options and all. */
export function nameOf(name: string, { baseline = noBaseline, minusOne }: ScoreOptions): string {
  const parts = [
    ...(baseline === noBaseline ? [] : [baseline.name]),
    ...(minusOne === undefined ? [] : [minusOne ? "with −1" : "without −1"]),
  ];
  return parts.length === 0 ? name : `${name} (${parts.join(", ")})`;
}

/** Whether −c_k ∇ log q(z_k) is kept. */
export function keepsMinusOne({ minusOne }: ScoreOptions, bound: Bound): boolean {
  return minusOne ?? bound !== elbo;
}

function standingOf(options: ScoreOptions, bound: Bound): Standing {
  if (keepsMinusOne(options, bound) || bound === elbo) return unbiased;
  return {
    verdict: "refused",
    why: "the −1 may be left out of the ELBO's gradient alone, where its mean is zero; leave minusOne out, or set it to true.",
  };
}

/** @throws Error unless K is a positive integer, and enough for the baseline. */
export function checkScoreSamples(name: string, samples: number, baseline: Baseline): void {
  checkSamples(samples);
  if (samples < baseline.leastSamples) {
    throw new Error(
      `${name}: the ${baseline.name} baseline compares a sample with the others and needs K ≥ ${baseline.leastSamples}, not ${samples}; draw more, or use noBaseline.`,
    );
  }
}

/**
 * K draws of q through which no gradient flows, with the key that is left for log q.
 *
 * @throws Error if the problem's log q is a marginal's estimate, whose gradient is not the draws' score.
 */
export function drawHeld<Theta extends Parameters, Phi extends Parameters, Z>(
  name: string,
  problem: Problem<Theta, Phi, Z>,
  { phi, samples, key }: { readonly phi: Phi; readonly samples: number; readonly key: Key },
): { readonly z: Z; readonly estimate: Key } {
  if ("marginal" in problem) {
    throw new Error(
      `${name}: log q of this problem is a marginal's estimate, whose gradient is not the score of its draws; use reparameterised, iwhviDoublyReparameterised or uivi.`,
    );
  }
  const [draw, estimate] = split(key);
  const { z } = onOwnTape(() => ({ z: problem.sample(phi, draw, samples) }));
  return { z, estimate };
}
