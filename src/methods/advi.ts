import { elbo as elboBound } from "../bounds/elbo.js";
import { type Estimate, estimateMean, variance, weightedMean } from "../diagnostics/moments.js";
import { paretoSmoothing } from "../diagnostics/paretoSmoothing.js";
import { disposeParameters, type Parameters } from "../engine/parameters.js";
import { foldIn, type Key, split } from "../engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { Family } from "../families/family.js";
import { fullRankGaussian } from "../families/fullRankGaussian.js";
import { lowRankGaussian } from "../families/lowRankGaussian.js";
import { meanFieldGaussian } from "../families/meanFieldGaussian.js";
import type { Gradient } from "../gradients/gradient.js";
import { pathDerivative } from "../gradients/pathDerivative.js";
import { densityProblem, type NoParameters, type Posterior, type Problem } from "../models/problem.js";
import type { Compilation } from "../optimize/compiledSteps.js";
import type { Progress } from "../optimize/progress.js";
import type { TracePoint } from "../optimize/trace.js";
import type { FitState } from "../optimize/variationalStep.js";
import { sizeOf } from "../transforms/bijection.js";
import {
  type Constrained,
  elementNames,
  type Supports,
  type Unconstrained,
  type UnconstrainedOptions,
  unconstrained,
} from "../transforms/unconstrained.js";
import { type AdviStage, runStages } from "./adviStages.js";
import type { Explainable } from "./explain.js";
import { type GradientNoise, gradientNoise } from "./gradientNoise.js";

/** Options of {@link advi}. */
export interface AdviOptions<S extends Supports> extends UnconstrainedOptions<S> {
  readonly key: Key;
  /** Gaussian q on ℝᴰ: independent coordinates (default), all correlations, or few correlated directions. */
  readonly family?: "meanField" | "fullRank" | "lowRank";
  /** Correlated directions of `"lowRank"`. Default the smaller of 5 and D. */
  readonly rank?: number;
  /** Steps at most, all stages together. Default 10,000. */
  readonly steps?: number;
  /** Adam's learning rates, one a stage. Default 0.1, 0.03, 0.01, 0.003. */
  readonly learningRates?: readonly number[];
  /** Steps of a window; a stage ends when two windows in a row bring no improvement beyond noise. Default 200. */
  readonly window?: number;
  /** K, draws for one gradient. Default 10. */
  readonly samples?: number;
  /** How to differentiate the ELBO. Default `pathDerivative`. */
  readonly gradient?: Gradient;
  /** Standard deviation of q at the start. Default 0.5. */
  readonly initialScale?: number;
  /** S, draws of the result. Default 10,000: k̂ is then uncertain by about 0.1 where it is 0.7. */
  readonly draws?: number;
  /** As in `fit`. */
  readonly compile?: Compilation;
  /** As in `fit`; steps count from each stage's start. */
  readonly onProgress?: (progress: Progress<FitState<NoParameters, Parameters>>) => void | Promise<void>;
}

/** What the draws say of one element of one unknown: a row of a table. */
export type AdviSummary = {
  /** `"theta[3]"`. */
  readonly name: string;
  readonly mean: Estimate;
  readonly standardDeviation: number;
  /** Mean under the Pareto-smoothed weights: the posterior's, where k̂ allows. */
  readonly reweightedMean: Estimate;
};

/** An automatic fit. */
export interface AdviFit<S extends Supports> extends Explainable {
  readonly family: "meanField" | "fullRank" | "lowRank";
  /** The model on ℝᴰ. */
  readonly model: Unconstrained<S>;
  /** q's parameters; `posterior` reads them. */
  readonly phi: Parameters;
  readonly posterior: Posterior<Parameters>;
  /** S draws of every unknown as they are constrained, `[S, ...shape]` row by row. */
  readonly draws: { readonly [Name in keyof S]: Float32Array };
  /** `[S]`, the draws' log p(x, z) − log q(z). */
  readonly logWeights: Float64Array;
  readonly elbo: Estimate;
  /** One row for each element of each unknown. */
  readonly summary: readonly AdviSummary[];
  readonly trace: readonly TracePoint[];
  readonly stages: readonly AdviStage[];
  readonly steps: number;
  /** Whether every learning rate had its stage, the last of them ended because the ELBO no longer rose, and some stage was kept: q is not where it started. */
  readonly converged: boolean;
  readonly stoppedBecause: string;
  readonly gradientNoise: GradientNoise;
  readonly gradientSignalToNoise: number;
  /** New draws of the unknowns, `[K, ...shape]`; the caller's to dispose. */
  sample(key: Key, samples: number): Constrained<S>;
  /** Frees φ. */
  dispose(): void;
}

/**
 * Automatic variational inference: a Gaussian on ℝᴰ, carried onto the unknowns' supports, fitted to `log p(x, z)` without anything to tune, with what {@link explain} needs to
 * judge it.
 *
 * ```ts
 * const fit = await advi({
 *   supports: { mu: real(), tau: positive(), theta: real([8]) },
 *   logJoint: ({ mu, tau, theta }) => …,   // mu, tau [K], theta [K, 8] to [K]
 *   key: randomKey(1),
 * });
 * console.log(explain(fit).text);
 * ```
 *
 * It maximises `ELBO = E_q[log p(x, f(u)) + log |det ∂f/∂u| − log q(u)]` by Adam in stages of falling learning rate, each until the bound no longer rises (`plateau`), and
 * keeps the average of the last iterates. A stage that lowers the ELBO or breaks down is taken back.
 *
 * @throws Error if an option is out of range, or as {@link unconstrained} and `fit` do. Not converging is no error.
 * Source: Kucukelbir, Tran, Ranganath, Gelman & Blei 2017, "Automatic differentiation variational inference", JMLR 18; Roeder, Wu & Duvenaud 2017 for the gradient; the stages
 * and averages follow Welandawe, Andersen, Vehtari & Huggins 2022, "Robust, automated, and accurate black-box variational inference".
 */
export async function advi<S extends Supports>(options: AdviOptions<S>): Promise<AdviFit<S>> {
  const {
    family = "meanField",
    steps = 10_000,
    samples = 10,
    draws = 10_000,
    window = 200,
    compile,
    onProgress,
  } = options;
  const { gradient = pathDerivative, initialScale = 0.5, learningRates = [0.1, 0.03, 0.01, 0.003] } = options;
  for (const [name, count] of Object.entries({ steps, draws }))
    if (!Number.isInteger(count) || count < 1)
      throw new Error(`advi: ${name} must be a positive integer, not ${count}.`);
  if (!Number.isInteger(window) || window < 20)
    throw new Error(`advi: window must be an integer of at least 20 steps, not ${window}.`);
  if (learningRates.length === 0) throw new Error("advi: give at least one learning rate.");
  const model = unconstrained(options);
  const posterior = familyOf(family, { dimension: model.dimension, initialScale, rank: options.rank });
  const problem = densityProblem({ logDensity: model.logDensity, family: posterior });
  const [initKey, runKey, drawKey, noiseKey] = split(options.key, 4);
  const init = posterior.init(initKey);
  const run = await runStages({
    problem,
    init,
    gradient,
    samples,
    steps,
    learningRates,
    window,
    key: runKey,
    ...(compile && { compile }),
    ...(onProgress && { onProgress }),
  }).finally(() => disposeParameters(init));
  const { phi, stages, trace } = run;
  try {
    const noise = await gradientNoise({ problem, phi, bound: elboBound, gradient, samples, key: noiseKey });
    const drawn = drawAll({ problem, model, supports: options.supports, phi, draws, key: drawKey });
    return {
      family,
      model,
      phi,
      posterior,
      ...drawn,
      elbo: estimateMean(drawn.logWeights),
      trace,
      stages,
      steps: run.steps,
      ...endOf(stages, learningRates),
      gradientNoise: noise,
      gradientSignalToNoise: noise.signalToNoise,
      sample: (key, count) =>
        tidied(() => model.constrain(tf.reshape(problem.sample(phi, key, count), [count, model.dimension]))),
      dispose: () => disposeParameters(phi),
    };
  } catch (error) {
    disposeParameters(phi);
    throw error;
  }
}

/** Whether the stages converged, why they ended, and what to do where they have not. */
function endOf(
  stages: readonly AdviStage[],
  learningRates: readonly number[],
): { readonly converged: boolean; readonly stoppedBecause: string; readonly toConverge?: string } {
  const { outcome } = stages.at(-1)!;
  if (stages.length < learningRates.length || outcome === "steps used up")
    return { converged: false, stoppedBecause: "its steps were used up" };
  if (outcome === "not finite") {
    return {
      converged: false,
      stoppedBecause: "something was not finite even at the smallest learning rate",
      toConverge: "Look for where logJoint or its gradient is not finite, or give smaller learningRates.",
    };
  }
  if (!stages.some(({ kept }) => kept)) {
    return {
      converged: false,
      stoppedBecause: "no learning rate raised the bound, and q is where it started",
      toConverge: "Give smaller learningRates, or another initialScale.",
    };
  }
  const rested = outcome === "no longer rising";
  const stoppedBecause = rested
    ? "the bound no longer rose at the smallest learning rate"
    : "the smallest learning rate could not raise the bound";
  return { converged: true, stoppedBecause };
}

function familyOf(
  name: "meanField" | "fullRank" | "lowRank",
  {
    rank,
    ...options
  }: { readonly dimension: number; readonly initialScale: number; readonly rank?: number | undefined },
): Family<Parameters> {
  switch (name) {
    case "meanField":
      return meanFieldGaussian(options) as unknown as Family<Parameters>;
    case "fullRank":
      return fullRankGaussian(options) as unknown as Family<Parameters>;
    case "lowRank":
      return lowRankGaussian({
        ...options,
        rank: rank ?? Math.min(5, options.dimension),
      }) as unknown as Family<Parameters>;
    default:
      throw new Error(`advi: there is no family "${name}"; choose "meanField", "fullRank" or "lowRank".`);
  }
}

/** Latents drawn in one go. */
const latentsAtOnce = 1000;

/** S draws with their log-weights, and what they say of every element. */
function drawAll<S extends Supports>(inputs: {
  readonly problem: Problem<NoParameters, Parameters>;
  readonly model: Unconstrained<S>;
  readonly supports: S;
  readonly phi: Parameters;
  readonly draws: number;
  readonly key: Key;
}): Pick<AdviFit<S>, "draws" | "logWeights" | "summary"> {
  const { problem, model, supports, phi, draws: S, key } = inputs;
  const logWeights = new Float64Array(S);
  const names = Object.keys(supports);
  const widths = names.map((name) => sizeOf(supports[name].shape));
  const values = widths.map((width) => new Float32Array(S * width));
  for (let start = 0, i = 0; start < S; start += latentsAtOnce, i++) {
    const count = Math.min(latentsAtOnce, S - start);
    tf.tidy(() => {
      const { z, logQ } = problem.sampleWithLogQ!(phi, foldIn(key, i), count);
      logWeights.set(tf.sub(problem.logP({}, z), logQ).dataSync<"float32">(), start);
      const constrained = model.constrain(tf.reshape(z as Tensor3D, [count, model.dimension]) as Tensor2D);
      names.forEach((name, n) => {
        values[n].set(constrained[name].dataSync<"float32">(), start * widths[n]);
      });
    });
  }
  const bad = logWeights.findIndex((value) => Number.isNaN(value) || value === Infinity);
  if (bad !== -1) throw new Error(`advi: the log-weight of draw ${bad} is ${logWeights[bad]}; look at logJoint there.`);
  const smoothed = paretoSmoothing(logWeights).logWeights;
  const summary = names.flatMap((name, n) =>
    elementNames(name, supports[name].shape).map((element, e): AdviSummary => {
      const column = Float64Array.from({ length: S }, (_, s) => values[n][s * widths[n] + e]);
      return {
        name: element,
        mean: estimateMean(column),
        standardDeviation: Math.sqrt(variance(column)),
        reweightedMean: weightedMean(column, smoothed),
      };
    }),
  );
  const draws = Object.fromEntries(names.map((name, n) => [name, values[n]])) as AdviFit<S>["draws"];
  return { draws, logWeights, summary };
}
