import { fitGeneralisedPareto, generalisedParetoQuantile } from "./generalisedPareto.js";
import { checkLogWeights } from "./logWeights.js";

/** What {@link paretoSmoothing} finds. */
export interface ParetoSmoothing {
  /**
   * k̂, the estimated tail index of the weights: they have about 1/k̂ finite moments. −∞ where the largest weights are all equal (no
   * tail), +∞ where a few draws outweigh all others beyond double precision, NaN where it cannot be estimated.
   */
  readonly khat: number;
  /** The largest k̂ that S draws can afford, {@link paretoThreshold}. */
  readonly threshold: number;
  /** Whether k̂ is below the threshold, so that means and standard errors from these weights can be trusted. */
  readonly reliable: boolean;
  /** One sentence for a person: what k̂ says here and what to do about it. */
  readonly explanation: string;
  /** How many of the largest weights were replaced; 0 where no tail was fitted. */
  readonly tailLength: number;
  /** `[S]`, unnormalised log-weights on the scale and in the order of the input, with the tail smoothed. */
  readonly logWeights: Float64Array;
}

/**
 * Pareto-smoothed importance sampling: replace the largest weights by the quantiles of a generalised Pareto fit, and report its shape k̂.
 *
 * The `M = ⌈min(S/5, 3√S)⌉` largest weights become `F⁻¹((j − ½)/M)` above the next weight below them, cut at the largest raw weight. Smoothed
 * weights trade a small bias for a finite variance; k̂ says whether even that is enough, and doubles as a measure of how far q is from p.
 *
 * @param logWeights - `[S]`, unnormalised log p(x, z_s) − log q(z_s | x) of *independent* draws; −∞ counts as weight 0. k̂ needs S > 20.
 * @returns k̂ and its verdict with the smoothed log-weights; too few draws or too many ties give k̂ = NaN with the reason, not an error.
 * @throws RangeError if there are none, if one is NaN or +∞, or if all are −∞.
 * Source: Vehtari, Simpson, Gelman, Yao & Gabry 2024, "Pareto smoothed importance sampling", JMLR 25(72), algorithm 1.
 */
export function paretoSmoothing(logWeights: ArrayLike<number>): ParetoSmoothing {
  checkLogWeights(logWeights, "paretoSmoothing");
  const size = logWeights.length;
  const smoothed = Float64Array.from(logWeights);
  const order = Uint32Array.from(smoothed.keys()).sort((i, j) => smoothed[i] - smoothed[j]);
  const largest = smoothed[order[size - 1]];
  const threshold = paretoThreshold(size);
  const withoutFit = (khat: number, explanation: string): ParetoSmoothing => {
    return { khat, threshold, reliable: khat < threshold, explanation, tailLength: 0, logWeights: smoothed };
  };

  const tailSize = Math.ceil(Math.min(size / 5, 3 * Math.sqrt(size)));
  if (tailSize < 5) {
    return withoutFit(Number.NaN, `k̂ is undefined: ${size} weights have no five in their tail; draw more than 20.`);
  }
  const cutoff = smoothed[order[size - 1 - tailSize]];
  if (cutoff === largest) {
    return withoutFit(-Infinity, "The largest weights are all equal: they are bounded, and no tail is left to smooth.");
  }
  // Weights below the smallest normal double, relative to the largest, are zero in the sums that follow.
  const floor = Math.max(cutoff - largest, Math.log(2 ** -1022));
  const tail = order.subarray(size - tailSize).filter((i) => smoothed[i] - largest > floor);
  if (tail.length < 5) {
    return cutoff - largest < floor
      ? withoutFit(Infinity, `${tail.length} of ${size} draws carry all the weight: q misses the target, so change q.`)
      : withoutFit(Number.NaN, "k̂ is undefined: fewer than five weights lie above the many ties below them.");
  }
  // exp(a) − exp(c) as exp(c) (exp(a − c) − 1): keeps the digits of nearly equal weights.
  const exceedances = Float64Array.from(tail, (i) => Math.exp(floor) * Math.expm1(smoothed[i] - largest - floor));
  const fit = fitGeneralisedPareto(exceedances);
  for (const [j, i] of tail.entries()) {
    const quantile = generalisedParetoQuantile(fit, (j + 0.5) / tail.length);
    smoothed[i] = largest + Math.min(0, Math.log(Math.exp(floor) + quantile));
  }
  return {
    khat: fit.shape,
    threshold,
    reliable: fit.shape < threshold,
    explanation: explain(fit.shape, size),
    tailLength: tail.length,
    logWeights: smoothed,
  };
}

/**
 * The largest k̂ for which S draws give reliable Pareto-smoothed estimates, `min(1 − 1/log₁₀ S, 0.7)`.
 *
 * @param size - S, the number of draws, ≥ 1 (at S = 1 it is −∞: one draw supports nothing).
 * @throws RangeError if `size` is not a positive integer.
 * Source: Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25(72), section 3.2.4, equation 13 solved for k.
 */
export function paretoThreshold(size: number): number {
  if (!Number.isInteger(size) || size < 1)
    throw new RangeError(`paretoThreshold needs a positive number of draws, but got ${size}.`);
  return Math.min(1 - 1 / Math.log10(size), 0.7);
}

function explain(khat: number, size: number): string {
  const threshold = paretoThreshold(size);
  const value = `k̂ = ${khat.toFixed(2)}`;
  if (khat < threshold)
    return `${value} is below ${threshold.toFixed(2)}: estimates from these ${size} weights can be trusted.`;
  if (khat < 0.7) {
    const needed = Math.ceil(10 ** (1 / (1 - khat)));
    return `${value} is too large for ${size} draws; about ${needed} would do.`;
  }
  if (khat < 1) return `${value} ≥ 0.7: the estimates converge too slowly for any practical S; bring q closer to p.`;
  return `${value} ≥ 1: the weights have no finite mean as far as these draws show; change q.`;
}
