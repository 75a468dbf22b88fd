import { effectiveSampleSize } from "../diagnostics/effectiveSampleSize.js";
import { estimateLogMeanExp } from "../diagnostics/logSumExp.js";
import { type Estimate, estimateMean } from "../diagnostics/moments.js";
import { paretoSmoothing } from "../diagnostics/paretoSmoothing.js";

/** What {@link explain} looks at: a fit of `advi`, or the log-weights of any approximation. */
export interface Explainable {
  /** `[S]`, log p(x, z_s) − log q(z_s) of independent draws from q. */
  readonly logWeights: ArrayLike<number>;
  /** Whether the optimisation ended because nothing improved any more. Default true. */
  readonly converged?: boolean;
  /** Why it ended, as a clause: `"the bound no longer rose"`. */
  readonly stoppedBecause?: string;
  /** What to do where it has not converged, as a sentence. Default: to give it more steps. */
  readonly toConverge?: string;
  /** Steps taken. */
  readonly steps?: number;
  /** Signal-to-noise ratio of one step's gradient at the end. */
  readonly gradientSignalToNoise?: number;
  /** Which family q is of; the remedy depends on it. */
  readonly family?: string;
}

/** Whether to use a fit: as it is, with importance weights, not at all; or to let it run on; or too few draws to say. */
export type FitVerdict = "good" | "reweight" | "poor" | "unfinished" | "unknown";

/** What {@link explain} says. */
export interface Explanation {
  readonly verdict: FitVerdict;
  /** One sentence: what to do. */
  readonly remedy: string;
  /** k̂ of the weights. */
  readonly khat: number;
  /** (1 + k̂)/√M from the M weights of its tail: how much another S draws would change it. */
  readonly khatStandardError: number;
  /** The largest k̂ that this many draws afford. */
  readonly threshold: number;
  /** ½ ∫|q − p|, estimated from the weights and, where k̂ > 0, from what a tail of that index holds beyond the largest; ∞ where k̂ ≥ 1, NaN where there is no k̂. */
  readonly totalVariation: number;
  /** Kish's effective sample size of the weights, and the number of draws. */
  readonly effectiveSampleSize: number;
  readonly draws: number;
  readonly elbo: Estimate;
  /** log p(x), estimated from the smoothed weights; to be trusted where k̂ is below its threshold. */
  readonly logEvidence: Estimate;
  /** log p(x) − ELBO = KL(q ‖ p), by that estimate. */
  readonly gap: number;
  readonly gradientSignalToNoise: number | null;
  readonly converged: boolean;
  /** All of it in a few lines, the verdict and the remedy last. */
  readonly text: string;
}

/**
 * Whether to trust a variational fit, and if not, what to do: k̂, effective sample size, ELBO, gap and gradient noise, with one verdict and one sentence of remedy.
 *
 * An unfinished optimisation comes first; then k̂: below 0.5 q is good, below its threshold (at most 0.7) its reweighted draws are, above neither. But k̂ is the *shape* of the weights'
 * tail and says nothing of how much lies in it: a q that is the posterior but for its far tails has a large k̂ all the same. So q is good also where the total variation distance is below 0.02,
 *
 * `½ Σ_s |w̃_s − 1/S| + max_s w̃_s / (1 − k̂)`, with w̃ the normalised weights:
 *
 * above a weight u, a Pareto tail of index k̂ < 1 that one draw in S exceeds holds u/S · 1/(1 − k̂) of the posterior. By that estimate no probability is wrong by more. (Where much of the posterior is
 * in the tail the estimate is too low, by some tens of per cent; there it is far above 0.02.) Weights of q's own draws know
 * nothing of a region that q never visits, such as another mode. k̂ itself is an estimate: where it lies within two of its standard errors from either limit, the text says so.
 *
 * @throws RangeError as `paretoSmoothing` for log-weights that are none, NaN, +∞ or all −∞.
 * Source: Yao, Vehtari, Simpson & Gelman 2018, "Yes, but did it work? Evaluating variational inference", for k̂ as the measure and its 0.5 and 0.7.
 * The standard error is that of a generalised Pareto's shape by maximum likelihood (Smith 1987, "Estimating tails of probability distributions").
 */
export function explain(fit: Explainable): Explanation {
  const { logWeights, converged = true, gradientSignalToNoise } = fit;
  const smoothing = paretoSmoothing(logWeights);
  const elbo = estimateMean(logWeights);
  const logEvidence = estimateLogMeanExp(smoothing.logWeights);
  const numbers = {
    khat: smoothing.khat,
    khatStandardError: (1 + smoothing.khat) / Math.sqrt(smoothing.tailLength),
    threshold: smoothing.threshold,
    totalVariation: totalVariationOf(logWeights, smoothing.khat),
    effectiveSampleSize: effectiveSampleSize(logWeights),
    draws: logWeights.length,
    elbo,
    logEvidence,
    gap: logEvidence.value - elbo.value,
    gradientSignalToNoise: gradientSignalToNoise ?? null,
    converged,
  };
  const verdict = verdictOf(numbers);
  const remedy = remedyFor(verdict, fit, numbers);
  return { verdict, remedy, ...numbers, text: textOf(verdict, remedy, fit, numbers) };
}

type Numbers = Omit<Explanation, "verdict" | "remedy" | "text">;

function verdictOf({ converged, khat, threshold, totalVariation }: Numbers): FitVerdict {
  if (!converged) return "unfinished";
  if (Number.isNaN(khat)) return "unknown";
  if (khat < goodBelow(threshold) || totalVariation < goodDistance) return "good";
  return khat < threshold ? "reweight" : "poor";
}

/** The total variation distance below which q is good whatever its tails are. */
const goodDistance = 0.02;

function totalVariationOf(logWeights: ArrayLike<number>, khat: number): number {
  const most = Array.from(logWeights).reduce((a, b) => Math.max(a, b));
  const weights = Float64Array.from(logWeights, (value) => Math.exp(value - most));
  const total = weights.reduce((a, b) => a + b);
  const seen = weights.reduce((sum, weight) => sum + Math.abs(weight / total - 1 / weights.length), 0) / 2;
  if (!(khat > 0)) return Number.isNaN(khat) ? Number.NaN : seen;
  return khat < 1 ? seen + 1 / (total * (1 - khat)) : Infinity;
}

/** The limit of k̂ below which q itself is good. */
function goodBelow(threshold: number): number {
  return Math.min(0.5, threshold);
}

function remedyFor(verdict: FitVerdict, fit: Explainable, { khat, threshold, draws }: Numbers): string {
  const { family, toConverge = "Give it more steps before you judge it." } = fit;
  switch (verdict) {
    case "good":
      return khat < goodBelow(threshold)
        ? "Use the fit as it is; only a mode that q never visits could escape this check."
        : "Use the fit as it is, but for probabilities far out in its tails, which k̂ says are too light; only a mode that q never visits could escape this check.";
    case "reweight":
      return "Use the reweighted means in place of q's own, and report k̂ with them.";
    case "unknown":
      return draws > 20
        ? `Find out why most of the ${draws} weights are equal, or draw until five lie above the equal ones: k̂ has no tail to go by.`
        : `Draw more than 20: the ${draws} there are do not make a tail of five, which k̂ needs.`;
    case "unfinished":
      return toConverge;
    case "poor":
      if (threshold < 0.7 && khat < 0.7) return "Draw more: so few cannot afford this k̂.";
      if (family === "meanField" || family === "lowRank")
        return `Reparameterise the model (centred or not), or let q correlate with family: "fullRank"; if k̂ stays, use hmc.`;
      return "Reparameterise the model (centred or not); if k̂ stays, the posterior is too far from a Gaussian, so use hmc.";
  }
}

const verdicts: Readonly<Record<FitVerdict, string>> = {
  good: "good",
  reweight: "usable with importance weights",
  poor: "not to be trusted",
  unfinished: "not finished",
  unknown: "not known",
};

function textOf(verdict: FitVerdict, remedy: string, fit: Explainable, numbers: Numbers): string {
  const { khat, threshold, elbo, logEvidence, gap } = numbers;
  const spread = Number.isFinite(numbers.khatStandardError) ? ` ± ${numbers.khatStandardError.toFixed(2)}` : "";
  const limits = [...new Set([goodBelow(threshold), threshold])];
  const decided = verdict === "unfinished" || numbers.totalVariation < goodDistance;
  const close = limits.filter((limit) => Math.abs(khat - limit) < 2 * numbers.khatStandardError);
  const trusted = khat < threshold ? "" : ", which such weights cannot be trusted for";
  const lines = [
    `k̂ = ${khat.toFixed(2)}${spread} (at most ${threshold.toFixed(2)} will do), effective sample size ${Math.round(numbers.effectiveSampleSize)} of ${numbers.draws} draws.`,
    `ELBO ${pair(elbo)}; log p(x) ${pair(logEvidence)} by importance weights, a gap of ${gap.toFixed(2)} nats${trusted}.`,
  ];
  if (verdict === "good" && khat >= goodBelow(threshold))
    lines.push(
      `The weights hardly differ all the same: total variation distance about ${numbers.totalVariation.toPrecision(2)}.`,
    );
  const steps = fit.steps === undefined ? "" : ` after ${fit.steps} steps`;
  const why = fit.stoppedBecause === undefined ? "" : `, because ${fit.stoppedBecause}`;
  const noise =
    numbers.gradientSignalToNoise === null
      ? ""
      : ` The last gradient's signal-to-noise ratio is ${numbers.gradientSignalToNoise.toPrecision(2)}.`;
  if (steps || why || noise)
    lines.push(`${numbers.converged ? "Converged" : "Stopped without converging"}${steps}${why}.${noise}`);
  if (close.length > 0 && !decided) {
    const named = close.map((limit) => limit.toFixed(2)).join(" and of ");
    lines.push(`k̂ lies within two standard errors of ${named}: more draws would tell.`);
  }
  return [...lines, `Verdict: ${verdicts[verdict]}. ${remedy}`].join("\n");
}

function pair({ value, standardError }: Estimate): string {
  return `${value.toFixed(3)} ± ${standardError.toPrecision(2)}`;
}
