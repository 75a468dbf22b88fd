import { mean } from "../diagnostics/moments.js";
import { breathe } from "../engine/interrupt.js";
import { foldIn, type Key, split } from "../engine/random.js";
import { dualAveraging, updatedDualAveraging } from "./dualAveraging.js";
import type { HmcTuning } from "./hmcDraws.js";
import type { HmcRun } from "./hmcRun.js";
import { ScaleEstimate, scaleWindows } from "./scaleAdaptation.js";

/** How long a trajectory is: so many steps, or as many as make the length; its default is π/2. @internal */
export interface Trajectory {
  readonly leapfrogSteps?: number;
  readonly trajectoryLength?: number;
}

/** What the warm-up of a stand-alone run needs. @internal */
export interface WarmUpOptions {
  readonly run: HmcRun;
  /** D. */
  readonly dimension: number;
  /** Transitions. */
  readonly warmUp: number;
  readonly targetAcceptance: number;
  readonly massAdaptation: boolean;
  /** ε to start from; found where absent. */
  readonly stepSize?: number;
  readonly trajectory: Trajectory;
  readonly key: Key;
  readonly report: (step: number, tuning: HmcTuning, acceptance: number) => Promise<void>;
}

/**
 * Moves the chains through the warm-up and returns the kernel to sample with: the step size by dual averaging of the mean acceptance, the scale by
 * windows; the step size starts anew where a scale changes by more than a factor of two. @internal
 */
export async function adaptedTuning(options: WarmUpOptions): Promise<HmcTuning> {
  const { run, dimension, warmUp, targetAcceptance, trajectory, report } = options;
  const [transitions, searches] = split(options.key);
  const windows = options.massAdaptation ? scaleWindows(warmUp) : [];
  let scale: Float32Array = new Float32Array(dimension).fill(1);
  let estimate = new ScaleEstimate(dimension);
  const search = (at: number): number => run.reasonableStepSize(scale, targetAcceptance, foldIn(searches, at));
  let averaging = dualAveraging(options.stepSize ?? search(0));
  for (let t = 0; t < warmUp; t++) {
    await breathe();
    const { stepSize } = averaging;
    const tuning = { stepSize, leapfrogSteps: leapfrogStepsOf(trajectory, stepSize, coarse), scale };
    const acceptance = mean(run.advance(tuning, foldIn(transitions, t)));
    averaging = updatedDualAveraging(averaging, acceptance, targetAcceptance);
    const window = windows.find(({ from, to }) => from <= t && t < to);
    if (window) estimate.add(run.positions());
    if (window?.to === t + 1) {
      const last = scale;
      scale = estimate.scale();
      estimate = new ScaleEstimate(dimension);
      // In units that are much the same the average goes on: it is better than what the transitions that remain could give.
      if (scale.some((s, d) => s > 2 * last[d] || last[d] > 2 * s)) averaging = dualAveraging(search(t + 1));
    }
    await report(t + 1, tuning, acceptance);
  }
  const stepSize = averaging.count > 0 ? averaging.averaged : averaging.stepSize;
  return { stepSize, leapfrogSteps: leapfrogStepsOf(trajectory, stepSize, Math.round), scale };
}

/** L, from 1 to 1,000. */
function leapfrogStepsOf(
  { leapfrogSteps, trajectoryLength = Math.PI / 2 }: Trajectory,
  stepSize: number,
  rounded: (steps: number) => number,
): number {
  return leapfrogSteps ?? Math.min(1000, Math.max(1, rounded(trajectoryLength / stepSize)));
}

/** One of …, 1, 2, 3, 4, 6, 8, 11, …: each L is recorded once, and a step size that still wanders would ask for a new one in every transition. */
function coarse(steps: number): number {
  return Math.round(2 ** (Math.round(2 * Math.log2(steps)) / 2));
}
