import { estimateMean } from "../diagnostics/moments.js";
import type { Parameters } from "../engine/parameters.js";
import type { Progress } from "./progress.js";

/**
 * Whether to end a run. A plain function is asked after every step, which keeps a compiled run from taking several steps at once; a rule
 * that needs less says so.
 *
 * A rule that looks at the progress alone, and remembers nothing, stops a resumed run where it would have stopped the unbroken one.
 */
export interface StopRule<State extends Parameters = Parameters> {
  (progress: Progress<State>): boolean;
  /** After each step (default), after each point of the trace, or after each call, however many steps that takes. */
  readonly asked?: "step" | "point" | "call";
}

/** Options of {@link plateau}. */
export interface PlateauOptions {
  /** Steps in a window; it must hold at least ten points of the trace. */
  readonly window: number;
  /** How many windows in a row must bring no improvement. Default 2. */
  readonly patience?: number;
  /** How many standard errors a window must be better by to count as an improvement. Default 2. */
  readonly tolerance?: number;
  /** Default `"maximise"`, as bounds are. */
  readonly goal?: "maximise" | "minimise";
}

/**
 * Stops when the objective no longer improves by more than its noise: when `patience` windows in a row have
 * m_j − m_{j−1} ≤ tolerance · √(s²_j / n + s²_{j−1} / n), with m_j and s²_j the mean and variance of the n points of the trace in window j.
 *
 * Windows stand side by side, so each comparison has noise of its own. One whose true gain is g standard errors fails to show it with
 * probability Φ(tolerance − g); a longer window sees smaller gains.
 *
 * @throws Error if an option is out of range, or (at its first question) if a window holds fewer than ten points.
 */
export function plateau(options: PlateauOptions): StopRule {
  const { window, patience = 2, tolerance = 2, goal = "maximise" } = options;
  for (const [name, count] of Object.entries({ window, patience })) {
    if (!Number.isInteger(count) || count < 1) {
      throw new Error(`plateau: ${name} must be a positive integer, not ${count}.`);
    }
  }
  if (!(Number.isFinite(tolerance) && tolerance >= 0)) {
    throw new Error(`plateau: tolerance must be a finite number ≥ 0, not ${tolerance}.`);
  }
  const rule = ({ trace }: Progress<Parameters>): boolean => {
    if (trace.length === 0) return false;
    const [every, step] = [trace[0]!.step, trace.at(-1)!.step];
    if (window < fewestPoints * every) {
      throw new Error(
        `plateau: a window of ${window} steps holds fewer than ${fewestPoints} points of a trace with one every ${every}; ` +
          `make it at least ${fewestPoints * every}, or give traceEvery: ${Math.max(1, Math.floor(window / fewestPoints))} or less.`,
      );
    }
    // A window is complete at the first point in or after its last step.
    const completed = Math.floor(step / window);
    if (completed <= patience || Math.floor((step - every) / window) === completed) return false;
    const windows = Array.from({ length: patience + 1 }, (_, i) => {
      const end = (completed - patience + i) * window;
      return estimateMean(
        trace.filter((point) => point.step > end - window && point.step <= end).map(({ value }) => value),
      );
    });
    return windows.slice(1).every((later, i) => {
      const earlier = windows[i]!;
      const gain = (goal === "maximise" ? 1 : -1) * (later.value - earlier.value);
      return gain <= tolerance * Math.hypot(later.standardError, earlier.standardError);
    });
  };
  return Object.assign(rule, { asked: "point" as const });
}

/** A standard error of fewer is too uncertain to go by. */
const fewestPoints = 10;

/**
 * Stops after so many seconds of running, all parts of a resumed run together. What it leaves depends on the machine.
 *
 * @throws Error if the limit is not positive.
 */
export function timeLimit(seconds: number): StopRule {
  if (!(seconds > 0)) throw new Error(`timeLimit: the seconds must be positive, not ${seconds}.`);
  return Object.assign((at: Progress<Parameters>) => at.seconds >= seconds, { asked: "call" as const });
}

/**
 * Stops when the gradient's norm, as a root mean square over one point of the trace, falls below a threshold.
 *
 * A stochastic gradient's norm does not go to zero at the optimum but to the size of its noise: choose the threshold above that.
 *
 * @throws Error if the threshold is not positive, or (at its first question) if the step gives no gradient norm.
 */
export function gradientBelow(threshold: number): StopRule {
  if (!(threshold > 0)) throw new Error(`gradientBelow: the threshold must be positive, not ${threshold}.`);
  const rule = ({ trace }: Progress<Parameters>): boolean => {
    const norm = trace.at(-1)?.gradientNorm;
    if (norm === null) throw new Error("gradientBelow: this step does not give the norm of its gradient.");
    return norm !== undefined && norm < threshold;
  };
  return Object.assign(rule, { asked: "point" as const });
}

/** Stops as soon as one of the rules does. */
export function anyOf<State extends Parameters = Parameters>(...rules: readonly StopRule<State>[]): StopRule<State> {
  if (rules.length === 0) throw new Error("anyOf: give at least one rule.");
  const order = ["step", "point", "call"] as const;
  const asked = order.find((when) => rules.some((rule) => (rule.asked ?? "step") === when));
  return Object.assign((at: Progress<State>) => rules.some((rule) => rule(at)), { asked });
}
