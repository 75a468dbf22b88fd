import { type Estimate, estimateMean } from "../diagnostics/moments.js";
import type { Parameters } from "../engine/parameters.js";
import { foldIn } from "../engine/random.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { ReverseConditional } from "../families/reverseConditional.js";
import { logMeanExp } from "../ops/logMeanExp.js";
import type { HierarchyWithTau } from "./hierarchyWithTau.js";
import { checkInteger, type DrawsOptions, logRatios } from "./logRatios.js";
import { iwhvi, type MarginalInputs } from "./marginal.js";

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
 * @throws Error if K is not a positive integer, or as `iwhvi`.
 * Source: Sobolev & Vetrov 2019, section 3.1; Grosse, Ghahramani & Adams 2015, "Sandwiching the marginal likelihood using bidirectional Monte Carlo".
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
export interface MarginalSandwichOptions extends DrawsOptions {
  /** K ≥ 1, draws of τ for each z, to begin with. Default 16. */
  readonly samples?: number;
  /** Doubles K, with fresh draws, until upper − lower is at most this many nats. Default: K stays. */
  readonly width?: number;
  /** K to stop at. Default 4096, or `samples` if that is more. */
  readonly maxSamples?: number;
}

/**
 * E_q[log p(x, z) − log q(z | x)] between two bounds with standard errors: the ELBO of a hierarchical q, averaged over the batch.
 *
 * ```ts
 * const { lower, upper } = await sandwich(fittedQ(problem, phi), logDensity, { width: 0.1, key });
 * ```
 *
 * The lower one takes the upper estimate of log q (with ψ_0), the upper one the lower estimate (without). With "entropy" for log p(x, z) it is the entropy of q;
 * KL(q ‖ p) for a normalised p is the negative: lower and upper change places. With `width`, K doubles until the interval is as narrow, each time with fresh
 * draws of z and of τ, so that nothing of a wider interval is left in the narrower; that the last is chosen for its narrowness favours it by
 * a fraction of the width's standard error. What K does not narrow is left to the standard errors, which `draws` do.
 *
 * @param q for instance by `fittedQ`, or `{ hierarchy: () => family.hierarchy(phi), reverse, eta }`.
 * @param logJoint log p(x, z) or any log-density, from z `[M, B, D]` to `[M, B]`; or "entropy".
 * @throws Error if K, S or `maxSamples` is out of range, the width is not positive, τ shares its draws among the z or `logJoint` returns another shape, or if an estimate is not finite.
 * Source: Sobolev & Vetrov 2019, section 3.1 (the upper estimate of log q); Grosse, Ghahramani & Adams 2015 (the two together).
 */
export async function sandwich<Eta extends Parameters>(
  q: HierarchyWithTau<Eta>,
  logJoint: ((z: Tensor3D) => Tensor) | "entropy",
  options: MarginalSandwichOptions,
): Promise<MarginalSandwich> {
  const target = logJoint === "entropy" ? zero : logJoint;
  if (typeof target !== "function")
    throw new Error('sandwich: the second argument must be log p(x, z), a function of z, or "entropy".');
  return widening("sandwich", q, target, options);
}

/** {@link sandwich} under the name of its caller. */
export async function widening<Eta extends Parameters>(
  name: string,
  q: HierarchyWithTau<Eta>,
  target: (z: Tensor3D) => Tensor,
  options: MarginalSandwichOptions,
): Promise<MarginalSandwich> {
  const { key, samples = 16, width, ...draws } = options;
  checkInteger(`${name}: samples K`, samples, 1);
  const { maxSamples = Math.max(4096, samples) } = options;
  checkInteger(`${name}: maxSamples`, maxSamples, samples);
  if (width !== undefined && !(width > 0)) throw new Error(`${name}: width must be positive, not ${width}.`);
  for (let k = samples, round = 0; ; k = Math.min(2 * k, maxSamples), round++) {
    const { withOwn, fresh } = await logRatios(name, q, target, { ...draws, key: foldIn(key, round), samples: k });
    const [lower, upper] = [withOwn, fresh!].map((values) => estimateMean(values.map((value) => -value)));
    const between = estimateMean(withOwn.map((value, i) => value - fresh![i]));
    const reached = width === undefined || between.value <= width;
    if (reached || k === maxSamples) return { lower, upper, width: between, samples: k, reached };
  }
}

/** log p = 0 everywhere. */
export function zero(z: Tensor3D): Tensor {
  return tf.zeros([z.shape[0], z.shape[1]]);
}
