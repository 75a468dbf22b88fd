import { elbo } from "../bounds/elbo.js";
import { collectLogWeights } from "../bounds/estimateBound.js";
import { estimateMean } from "../diagnostics/moments.js";
import { cloneParameters, disposeParameters, type Parameters } from "../engine/parameters.js";
import { foldIn, type Key } from "../engine/random.js";
import type { Gradient } from "../gradients/gradient.js";
import type { NoParameters, Problem } from "../models/problem.js";
import { adam } from "../optimize/adam.js";
import { exponentialAveraging } from "../optimize/averaging.js";
import type { Compilation } from "../optimize/compiledSteps.js";
import { type FitResult, fit as maximise } from "../optimize/fit.js";
import type { Progress } from "../optimize/progress.js";
import { plateau } from "../optimize/stopping.js";
import type { TracePoint } from "../optimize/trace.js";
import type { FitState } from "../optimize/variationalStep.js";

/** One stage of an automatic fit: one learning rate until the bound no longer rises. */
export type AdviStage = {
  readonly learningRate: number;
  readonly steps: number;
  /** How the ELBO changed over it, on the same draws. */
  readonly gain: number;
  readonly standardError: number;
  /** Why it ended; `"worse"` where it came to rest below its start. */
  readonly outcome: "no longer rising" | "steps used up" | "worse" | "not finite";
  /** Whether its result was handed on; a stage that lowered the ELBO or broke down is taken back. */
  readonly kept: boolean;
};

/** What a run of stages needs. @internal */
export interface StagesOptions<Phi extends Parameters> {
  readonly problem: Problem<NoParameters, Phi>;
  /** It stays the caller's. */
  readonly init: Phi;
  readonly gradient: Gradient;
  readonly samples: number;
  /** For all stages together. */
  readonly steps: number;
  readonly learningRates: readonly number[];
  readonly window: number;
  readonly key: Key;
  readonly compile?: Compilation;
  readonly onProgress?: (progress: Progress<FitState<NoParameters, Phi>>) => void | Promise<void>;
}

/** What a run of stages gives. @internal */
export interface StagesResult<Phi extends Parameters> {
  readonly phi: Phi;
  readonly stages: readonly AdviStage[];
  readonly trace: readonly TracePoint[];
  readonly steps: number;
}

/** Draws that two stages are compared on. */
const compared = 1000;

/**
 * Maximises the ELBO by Adam at falling learning rates. Each rate runs until the bound no longer rises, and hands on the average of its last iterates; what a rate spoils
 * (the ELBO falls, or something is not finite) is taken back, so too large a rate costs time and nothing else.
 *
 * @throws Error as `fit` does, if no stage could be taken.
 * @internal
 */
export async function runStages<Phi extends Parameters>(options: StagesOptions<Phi>): Promise<StagesResult<Phi>> {
  const { problem, gradient, samples, learningRates, window, key, compile, onProgress } = options;
  const weightsAt = async (phi: Phi): Promise<Float64Array> =>
    (await collectLogWeights({ problem, theta: {}, phi, samples: compared, key: foldIn(key, 0) }))[0];
  let phi = cloneParameters(options.init);
  let weights = await weightsAt(phi).catch(() => undefined);
  const stages: AdviStage[] = [];
  const trace: TracePoint[] = [];
  let [steps, seconds, failure] = [0, 0, undefined as unknown];
  try {
    for (const [i, learningRate] of learningRates.entries()) {
      if (steps >= options.steps) break;
      let fitted: FitResult<NoParameters, Phi>;
      try {
        fitted = (await maximise({
          problem,
          init: { phi },
          bound: elbo,
          samples,
          gradient,
          optimizer: adam({ learningRate }),
          steps: options.steps - steps,
          traceEvery: Math.max(1, Math.floor(window / pointsAWindow)),
          stop: plateau({ window }),
          averaging: exponentialAveraging({ decay: 1 - 2 / window }),
          key: foldIn(key, i + 1),
          ...(compile && { compile }),
          ...(onProgress && { onProgress }),
        })) as FitResult<NoParameters, Phi>;
      } catch (error) {
        if (!(error instanceof Error) || !/^Step \d+: /.test(error.message)) throw error;
        failure = error;
        const unknown = { gain: Number.NaN, standardError: Number.NaN };
        stages.push({ learningRate, steps: 0, ...unknown, outcome: "not finite", kept: false });
        continue;
      }
      const next = fitted.average?.phi as Phi;
      const after = await weightsAt(next).catch(() => undefined);
      const gain = after && weights ? estimateMean(after.map((value, s) => value - weights![s])) : undefined;
      const spoilt = !after || (gain !== undefined && !(gain.value > -2 * gain.standardError));
      trace.push(
        ...fitted.trace.map((point) => ({ ...point, step: point.step + steps, seconds: point.seconds + seconds })),
      );
      steps += fitted.steps;
      seconds = trace.at(-1)?.seconds ?? seconds;
      stages.push({
        learningRate,
        steps: fitted.steps,
        gain: gain?.value ?? Number.NaN,
        standardError: gain?.standardError ?? Number.NaN,
        outcome: fitted.stoppedBecause === "all steps taken" ? "steps used up" : spoilt ? "worse" : "no longer rising",
        kept: !spoilt,
      });
      if (!spoilt) {
        disposeParameters(phi);
        phi = cloneParameters(next);
        weights = after;
      }
      fitted.dispose();
    }
    if (stages.every(({ outcome }) => outcome === "not finite")) throw failure;
    return { phi, stages, trace, steps };
  } catch (error) {
    disposeParameters(phi);
    throw error;
  }
}

const pointsAWindow = 20;
