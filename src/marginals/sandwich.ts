import { type Estimate, estimateMean } from "../diagnostics/moments.js";
import { breathe } from "../engine/interrupt.js";
import type { Parameters } from "../engine/parameters.js";
import { foldIn, type Key, split } from "../engine/random.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied, valuesOf } from "../engine/values.js";
import type { Hierarchy } from "../families/hierarchicalFamily.js";
import type { ReverseConditional } from "../families/reverseConditional.js";
import { logMeanExp } from "../ops/logMeanExp.js";
import { iwhvi, type MarginalInputs, sampleHierarchy } from "./marginal.js";

/** How many numbers the largest tensor of a pass holds, about: 16 MB. */
const numbersAtOnce = 1 << 22;

/** log q(z | x) between two estimates from the same draws, `[M, B]` each. */
export interface MarginalBounds {
  /** Below log q(z | x) in expectation: without ψ_0. */
  readonly lower: Tensor2D;
  /** Above it in expectation: with ψ_0. */
  readonly upper: Tensor2D;
}

/**
 * log q(z | x) between its lower and its upper estimate, for z with the ψ_0 it was drawn given, from K draws of τ.
 *
 * Of a hierarchical *model* p(x) = ∫ p(x | z) p(z) dz it gives log p(x) itself between two bounds, for x simulated with its true z: `mixing` is then the
 * prior, `conditional` the likelihood, x stands in z's place and z in ψ's.
 *
 * @throws Error if K is not a positive integer, or as `iwhvi`.
 * Source: Sobolev & Vetrov 2019, theorem 1; Grosse, Ghahramani & Adams 2015, "Sandwiching the marginal likelihood using bidirectional Monte Carlo".
 */
export function marginalBounds<Eta extends Parameters>(
  options: Required<Pick<MarginalInputs<Eta>, "psi0">> &
    MarginalInputs<Eta> & { readonly reverse: ReverseConditional<Eta>; readonly samples: number },
): MarginalBounds {
  const { reverse, samples, ...inputs } = options;
  checkInteger("marginalBounds: the number of draws K", samples, 1);
  return tidied(() => {
    const logW = iwhvi({ reverse, samples }).logWeights(inputs);
    const fresh = tf.slice(logW, [1, 0, 0], [samples, -1, -1]);
    return { lower: logMeanExp(fresh, 0) as Tensor2D, upper: logMeanExp(logW, 0) as Tensor2D };
  });
}

/** A quantity between two estimates. */
export interface MarginalSandwich {
  /** Below the truth in expectation. */
  readonly lower: Estimate;
  /** Above the truth in expectation. */
  readonly upper: Estimate;
  /** upper − lower, from the same draws: its standard error is far below that of either. */
  readonly width: Estimate;
  /** K that it took. */
  readonly samples: number;
  /** Whether `width` is as small as asked for; true where nothing was asked. */
  readonly reached: boolean;
}

/** Options of {@link sandwich}. */
export interface MarginalSandwichOptions<Eta extends Parameters> {
  /** q at its parameters, for instance `() => family.hierarchy(phi.q, x)`; it is made anew in every pass. */
  readonly hierarchy: () => Hierarchy;
  readonly reverse: ReverseConditional<Eta>;
  readonly eta: Eta;
  /** Data `[B, P]`, where τ looks at them. */
  readonly x?: Tensor2D;
  /** log p(x, z) or any log-density, from z `[M, B, D]` to `[M, B]`. Left out, it is 0, and the result the entropy of q. */
  readonly logJoint?: (z: Tensor3D) => Tensor;
  readonly key: Key;
  /** K ≥ 1, draws of τ for each z, to begin with. Default 16. */
  readonly samples?: number;
  /** S ≥ 2, draws of z for each datum, which the standard errors are over. Default 1000. */
  readonly draws?: number;
  /** Doubles K, with fresh draws, until upper − lower is at most this many nats. Default: K stays. */
  readonly width?: number;
  /** K to stop at. Default 4096. */
  readonly maxSamples?: number;
}

/**
 * E_q[log p(x, z) − log q(z | x)] between two bounds with standard errors: the ELBO of a hierarchical q, averaged over the batch.
 *
 * The lower one takes the upper estimate of log q (with ψ_0), the upper one the lower estimate (without). Without `logJoint` it is the entropy of q;
 * KL(q ‖ p) for a normalised p, or KL to the posterior less log p(x), is the negative: lower and upper change places. With `width`, K doubles until the
 * interval is as narrow; what K does not narrow is left to the standard errors, which `draws` do.
 *
 * @throws Error if K, S or `maxSamples` is out of range or the width is not positive, or if an estimate is not finite.
 * Source: Sobolev & Vetrov 2019, theorem 1, section 6.1.
 */
export async function sandwich<Eta extends Parameters>(
  options: MarginalSandwichOptions<Eta>,
): Promise<MarginalSandwich> {
  const { key, samples = 16, draws = 1000, width, maxSamples = 4096 } = options;
  checkInteger("sandwich: samples K", samples, 1);
  checkInteger("sandwich: draws S", draws, 2);
  checkInteger("sandwich: maxSamples", maxSamples, samples);
  if (width !== undefined && !(width > 0)) throw new Error(`sandwich: width must be positive, not ${width}.`);
  for (let k = samples, round = 0; ; k = Math.min(2 * k, maxSamples), round++) {
    const found = await sandwichOf(options, { key: foldIn(key, round), samples: k, draws });
    const reached = width === undefined || found.width.value <= width;
    if (reached || k === maxSamples) return { ...found, samples: k, reached };
  }
}

async function sandwichOf<Eta extends Parameters>(
  options: MarginalSandwichOptions<Eta>,
  { key, samples, draws }: { readonly key: Key; readonly samples: number; readonly draws: number },
): Promise<Pick<MarginalSandwich, "lower" | "upper" | "width">> {
  const { reverse, eta, x, logJoint } = options;
  const [lower, upper] = [new Float64Array(draws), new Float64Array(draws)];
  const one = tf.tidy(() => sampleHierarchy(options.hierarchy(), key, 1).z); // only its shape is looked at
  const together = Math.max(1, Math.floor(numbersAtOnce / ((samples + 1) * one.size)));
  one.dispose();
  for (let start = 0, pass = 0; start < draws; start += together, pass++) {
    const count = Math.min(together, draws - start);
    const [draw, estimate] = split(foldIn(key, pass));
    const values = valuesOf(() => {
      const hierarchy = options.hierarchy();
      const { z, psi: psi0, conditional } = sampleHierarchy(hierarchy, draw, count);
      const bounds = marginalBounds({ reverse, samples, hierarchy, eta, z, psi0, conditional, x, key: estimate });
      const logP = logJoint ? logJoint(z) : tf.zeros([count, z.shape[1]]);
      return tf.stack([bounds.upper, bounds.lower].map((logQ) => tf.mean(tf.sub(logP, logQ), 1)));
    });
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1) throw new Error(`sandwich: log p − log q of draw ${start + (bad % count)} is ${values[bad]}.`);
    lower.set(values.subarray(0, count), start);
    upper.set(values.subarray(count), start);
    await breathe();
  }
  return {
    lower: estimateMean(lower),
    upper: estimateMean(upper),
    width: estimateMean(upper.map((value, i) => value - lower[i])),
  };
}

function checkInteger(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw new Error(`${name} must be an integer of at least ${least}, not ${value}.`);
}
