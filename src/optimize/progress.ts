import type { Parameters } from "../engine/parameters.js";
import type { TracePoint } from "./trace.js";

/** What a callback sees. */
export interface Progress<State extends Parameters> {
  /** How many steps have been taken. */
  readonly step: number;
  /** How many there are to take. */
  readonly steps: number;
  /** The last step's objective, averaged over data. */
  readonly value: number;
  /** The norm of the last step's gradient; null where the step does not give it. */
  readonly gradientNorm: number | null;
  /** Seconds since the start, spent running: those before a checkpoint count, those between two runs do not. */
  readonly seconds: number;
  /** Over the last ten seconds. */
  readonly stepsPerSecond: number;
  /** Until all steps are taken, at that rate; infinite while there is none. */
  readonly secondsLeft: number;
  /** The trace so far. */
  readonly trace: readonly TracePoint[];
  /** The state now. Its tensors live until the next step: read or clone them, do not dispose or keep them. */
  readonly state: State;
}

/** How far apart marks of the clock are and how far back they reach, in seconds. */
const [spacing, reach] = [0.25, 10];

/**
 * The rate of steps over the last ten seconds, so that a slow start (compilation) is forgotten: call it with the steps taken and the
 * seconds.
 */
export function rateMeter(): (step: number, seconds: number) => number {
  const marks: { readonly step: number; readonly seconds: number }[] = [];
  return (step, seconds) => {
    const newest = marks.at(-1);
    if (!newest || seconds - newest.seconds >= spacing) marks.push({ step, seconds });
    while (marks.length > 2 && seconds - marks[1]!.seconds >= reach) marks.shift();
    const { step: first, seconds: since } = marks[0]!;
    return seconds > since ? (step - first) / (seconds - since) : 0;
  };
}

/** Progress in one line: `step 400 of 2000, value -3.214, gradient 0.81, 812 steps/s, 2.0 s left`. */
export function progressText(at: Omit<Progress<Parameters>, "state" | "trace">): string {
  const parts = [`step ${at.step} of ${at.steps}`, `value ${at.value.toPrecision(4)}`];
  if (at.gradientNorm !== null) parts.push(`gradient ${at.gradientNorm.toPrecision(2)}`);
  if (at.stepsPerSecond > 0) parts.push(`${Number(at.stepsPerSecond.toPrecision(3))} steps/s`);
  if (at.step < at.steps && at.stepsPerSecond > 0) parts.push(`${at.secondsLeft.toFixed(1)} s left`);
  return parts.join(", ");
}
