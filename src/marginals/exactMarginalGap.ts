import { sum } from "../diagnostics/moments.js";
import type { Quadrature } from "../diagnostics/quadrature.js";

/** A hierarchy of one dimension with an auxiliary τ, as functions of numbers. */
export interface NumericHierarchy {
  /** Nodes of z, as far out as q(z) has mass. */
  readonly z: Quadrature;
  /** log q(z). */
  readonly logDensity: (z: number) => number;
  /** Nodes of ψ for this z, as far out as q(ψ | z) or τ(ψ | z) has mass. */
  readonly psi: (z: number) => Quadrature;
  /** log q(ψ | z). */
  readonly logReverse: (psi: number, z: number) => number;
  /** log τ(ψ | z). */
  readonly logTau: (psi: number, z: number) => number;
}

/** How far the two estimates of log q(z) with K draws of τ are from it, in expectation over z ~ q and over the draws. */
export interface MarginalGap {
  /** E log q̂ − E log q with ψ_0: at least 0. */
  readonly upper: number;
  /** The same without ψ_0: at most 0; −∞ for K = 0, where there is no estimate. */
  readonly lower: number;
}

/**
 * The exact gaps of `iwhvi`'s two estimates of log q(z), for any K, by quadrature in one dimension.
 *
 * With the ratios r_k = q(ψ_k | z) / τ(ψ_k | z), which are the weights over q(z), the gap is E log of their mean. Independent terms make the Laplace
 * transform of their sum S a product, and log S = ∫ (exp(−eᵘ) − exp(−eᵘ S)) du, so that K costs nothing:
 *
 * E log S − log n = ∫ (exp(−eᵘ) − φ_0(eᵘ)^[with ψ_0] φ(eᵘ)^K) du − log n, φ_0 the transform of r under q(ψ | z), φ under τ(ψ | z).
 *
 * K = 0 is E KL(q(ψ | z) ‖ τ(ψ | z)), and K = 1 without ψ_0 is −E KL(τ ‖ q(ψ | z)). A sum over nodes is finite even where such an expectation is
 * not: look at the tails before asking for small K without ψ_0.
 *
 * @returns the gaps as a function of K; what does not depend on K is computed once.
 * @throws RangeError if q(z), q(ψ | z) or τ(ψ | z) does not integrate to 1 within 1e-4 on its nodes, or (from the function) if K is not an integer
 *   of at least 0.
 */
export function exactMarginalGap(hierarchy: NumericHierarchy): (samples: number) => MarginalGap {
  const { z } = hierarchy;
  const mass = normalised("exactMarginalGap", "q(z)", z, hierarchy.logDensity);
  const slices = Array.from(z.points, (at) => sliceOf(hierarchy, at));
  const average = (gap: (slice: Slice) => number): number => sum(slices.map((slice, i) => mass[i] * gap(slice)));
  return (samples) => {
    if (!Number.isInteger(samples) || samples < 0) {
      throw new RangeError(
        `exactMarginalGap: the number K of draws of τ must be an integer of at least 0, not ${samples}.`,
      );
    }
    const upper = samples === 0 ? ({ own }: Slice) => own.meanLog : (slice: Slice) => meanLog(slice, samples, true);
    const lower =
      samples === 1 ? ({ fresh }: Slice) => fresh.meanLog : (slice: Slice) => meanLog(slice, samples, false);
    return { upper: average(upper), lower: samples === 0 ? Number.NEGATIVE_INFINITY : average(lower) };
  };
}

/** The ratio r at one z, under one law of ψ. */
interface Ratio {
  /** E log r. */
  readonly meanLog: number;
  /** E exp(−eᵘ r). */
  transform(u: number): number;
}

/** One z. */
interface Slice {
  /** Under q(ψ | z). */
  readonly own: Ratio;
  /** Under τ(ψ | z). */
  readonly fresh: Ratio;
  /** Both transforms from `low` in equal steps, made when first asked for. */
  transforms(): { readonly low: number; readonly own: readonly number[]; readonly fresh: readonly number[] };
}

/** Step in u, where the sum has ten digits. */
const step = 0.25;

/** Where the transform of a sum has fallen below this, its integral's tail is too. */
const vanished = 1e-16;

function sliceOf({ psi, logReverse, logTau }: NumericHierarchy, z: number): Slice {
  const rule = psi(z);
  const logRatio = rule.points.map((at) => logReverse(at, z) - logTau(at, z));
  const ratioUnder = (name: string, logDensity: (psi: number, z: number) => number): Ratio => {
    const p = normalised("exactMarginalGap", name, rule, (at) => logDensity(at, z));
    const nodes = Array.from(p.keys()).filter((i) => p[i] > 1e-20);
    return {
      meanLog: nodes.reduce((sum, i) => sum + p[i] * logRatio[i], 0),
      transform: (u) => nodes.reduce((sum, i) => sum + p[i] * doubleExponential(u + logRatio[i]), 0),
    };
  };
  const own = ratioUnder("q(ψ | z)", logReverse);
  const fresh = ratioUnder("τ(ψ | z)", logTau);
  let made: ReturnType<Slice["transforms"]> | undefined;
  const transforms = (): ReturnType<Slice["transforms"]> => {
    if (made) return made;
    const low = -36 - logRatio.reduce((most, value) => Math.max(most, value), 0);
    // Beyond this every ratio but 0 has vanished.
    const last =
      6 - logRatio.reduce((least, value) => (value > Number.NEGATIVE_INFINITY ? Math.min(least, value) : least), 0);
    const both = { own: [] as number[], fresh: [] as number[] };
    for (let u = low, left = 1; u < 6 || (u < last && left > vanished); u += step) {
      both.own.push(own.transform(u));
      both.fresh.push(fresh.transform(u));
      const [one, other] = [both.fresh.at(-1) as number, both.own.at(-1) as number];
      left = one * Math.max(one, other); // two terms at least: one alone needs no transform
    }
    made = { low, ...both };
    return made;
  };
  return { own, fresh, transforms };
}

/** exp(−eˣ), where no exponential is needed: within 1e-17 of 1, or below 1e-175. */
function doubleExponential(x: number): number {
  if (x < -40) return 1;
  return x > 6 ? 0 : Math.exp(-Math.exp(x));
}

/** E log of the mean of K ratios of τ's draws, with or without that of ψ_0: of two terms or more. */
function meanLog(slice: Slice, samples: number, withOwn: boolean): number {
  const { low, own, fresh } = slice.transforms();
  const terms = fresh.map((value, j) => doubleExponential(low + j * step) - (withOwn ? own[j] : 1) * value ** samples);
  return sum(terms) * step - Math.log(samples + (withOwn ? 1 : 0));
}

/** Probabilities of the nodes, made to sum to 1. */
export function normalised(
  owner: string,
  name: string,
  rule: Quadrature,
  logDensity: (at: number) => number,
): Float64Array {
  const p = rule.points.map((at, i) => Math.exp(rule.logWeights[i] + logDensity(at)));
  const total = sum(p);
  if (!(Math.abs(total - 1) < 1e-4)) {
    throw new RangeError(`${owner}: ${name} integrates to ${total} on its nodes, not 1; widen or refine the rule.`);
  }
  return p.map((value) => value / total);
}
