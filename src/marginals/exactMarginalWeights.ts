import { sum } from "../diagnostics/moments.js";
import { type NumericHierarchy, normalised } from "./exactMarginalGap.js";
import { type DiscreteLaw, lawOfSum } from "./lawOfSum.js";

/** The law of a weight: value i has logarithm `logWeights[i]` and probability `probabilities[i]`. A `WeightDistribution` to `exactIwae` and its kin. */
export interface MarginalWeights {
  readonly logWeights: Float64Array;
  readonly probabilities: Float64Array;
}

/** How finely log w is cut, and log of a sum of ratios before its last term is added: the error is of its square. */
const step = 1 / 128;

/** Probabilities below this are left out. */
const negligible = 1e-30;

/**
 * The law of one weight ŵ = p(x, z)/q̂(z) of a hierarchical q in one dimension, z ~ q, with K draws of τ and ψ_0: what makes every bound of M such weights exact.
 *
 * ```ts
 * const weights = exactMarginalWeights({ ...hierarchy, logJoint });
 * exactIwae(weights(K), M); // DIWHVI; M = 1 is IWHVI, K = 0 HVM, and SIVI where τ = q(ψ)
 * ```
 *
 * Given z, q̂ = q(z) (r_0 + r_1 + … + r_K)/(K + 1) with independent ratios r = q(ψ | z)/τ(ψ | z), ψ_0 ~ q(ψ | z) and the others from τ, so that the law of their sum
 * is a convolution, and that of ŵ a mixture over z. Both are binned, values going to the bins on either side so that their mean stays; `exactIwae` of the result has
 * an error of a few 1e-6 nats, or of a few 1e-5 where τ is narrower than the reverse conditional, so that the ratios have heavy tails. (E ŵ = p(x) is the harder test, where
 * τ is wider, so that ŵ has.)
 *
 * @param hierarchy as for `exactMarginalGap`, with log p(x, z) as `logJoint`.
 * @returns the law as a function of K.
 * @throws RangeError as `exactMarginalGap`, or if log p(x, z) is NaN or +∞ at a node.
 */
export function exactMarginalWeights(
  hierarchy: NumericHierarchy & { readonly logJoint: (z: number) => number },
): (samples: number) => MarginalWeights {
  const { z, logJoint, logDensity, psi, logReverse, logTau } = hierarchy;
  const mass = normalised("exactMarginalWeights", "q(z)", z, logDensity);
  const slices = Array.from(z.points, (at, i) => {
    const rule = psi(at);
    const ratios = rule.points.map((point) => Math.exp(logReverse(point, at) - logTau(point, at)));
    const under = (name: string, density: (psi: number, z: number) => number): DiscreteLaw => {
      const p = normalised("exactMarginalWeights", name, rule, (point) => density(point, at));
      const kept = Array.from(p.keys()).filter((j) => p[j] > negligible);
      return { values: Float64Array.from(kept, (j) => ratios[j]), probabilities: Float64Array.from(kept, (j) => p[j]) };
    };
    const logRatio = logJoint(at) - logDensity(at);
    if (!(logRatio < Number.POSITIVE_INFINITY))
      throw new RangeError(
        `exactMarginalWeights: log p(x, z) is ${logJoint(at)} at z = ${at}; it must be a number or −∞.`,
      );
    return { mass: mass[i], logRatio, own: under("q(ψ | z)", logReverse), fresh: under("τ(ψ | z)", logTau) };
  });
  return (samples) => {
    if (!Number.isInteger(samples) || samples < 0) {
      throw new RangeError(
        `exactMarginalWeights: the number K of draws of τ must be an integer of at least 0, not ${samples}.`,
      );
    }
    const bins = new LogBins();
    for (const { mass, logRatio, own, fresh } of slices) {
      // A relative variance more lowers E log of the sum by half of it: here by 5e-7 of the whole.
      const rest = samples === 0 ? nothing : coarse(lawOfSum(fresh, samples, 1e-6 / mass));
      const log = logRatio + Math.log(samples + 1);
      own.values.forEach((ratio, i) => {
        const p = mass * own.probabilities[i];
        for (let j = 0; j < rest.values.length; j++) {
          bins.add(log - Math.log(ratio + rest.values[j]), p * rest.probabilities[j]);
        }
      });
    }
    return bins.law();
  };
}

const nothing: DiscreteLaw = { values: Float64Array.of(0), probabilities: Float64Array.of(1) };

/** A law on fewer values, logarithmic bins wide. */
function coarse(law: DiscreteLaw): DiscreteLaw {
  const bins = new LogBins();
  law.values.forEach((value, i) => {
    bins.add(Math.log(value), law.probabilities[i]);
  });
  const { logWeights, probabilities } = bins.law();
  return { values: logWeights.map(Math.exp), probabilities };
}

/** The bin of log 1, and how much the value grows from one bin to the next, relatively. */
const [offset, growth] = [Math.ceil(1000 / step), Math.expm1(step)];

/** Probabilities of positive values on a grid of their logarithms, |log| ≤ 1000; a value between two points goes to both such that its mean stays. */
class LogBins {
  private readonly probabilities = new Float64Array(2 * offset + 2);
  private first = Number.POSITIVE_INFINITY;
  private last = Number.NEGATIVE_INFINITY;
  private zero = 0;

  add(logValue: number, probability: number): void {
    if (logValue < -1000) this.zero += probability;
    else {
      const { probabilities } = this;
      const low = Math.floor(Math.min(logValue, 1000) / step);
      const share = Math.expm1(logValue - low * step) / growth;
      const bin = offset + low;
      probabilities[bin] += probability * (1 - share);
      probabilities[bin + 1] += probability * share;
      if (bin < this.first) this.first = bin;
      if (bin > this.last) this.last = bin;
    }
  }

  law(): MarginalWeights {
    const logWeights = this.zero > 0 ? [Number.NEGATIVE_INFINITY] : [];
    const found = this.zero > 0 ? [this.zero] : [];
    for (let bin = this.first; bin <= this.last + 1; bin++) {
      if (!(this.probabilities[bin] > 0)) continue;
      logWeights.push((bin - offset) * step);
      found.push(this.probabilities[bin]);
    }
    const total = sum(found);
    return { logWeights: Float64Array.from(logWeights), probabilities: Float64Array.from(found, (p) => p / total) };
  }
}
