import { cloneParameters, disposeParameters, type Parameters } from "../engine/parameters.js";
import type { Progress } from "./progress.js";

/** q's parameters as they were after some step of a fit. */
export interface Snapshot<Phi extends Parameters> {
  readonly step: number;
  /** Seconds since the fit's start, the recording of its step included. */
  readonly seconds: number;
  /** Copies, which live until they are disposed. */
  readonly phi: Phi;
}

/** What {@link snapshots} keeps. */
export interface Snapshots<Phi extends Parameters> {
  /** For `stop` of a fit: it never stops one. */
  readonly rule: {
    (progress: Progress<{ readonly phi: Phi }>): boolean;
    readonly asked: "point";
  };
  /** In the order of the steps. */
  readonly taken: readonly Snapshot<Phi>[];
  /** Frees the copies. */
  dispose(): void;
}

/**
 * Keeps q's parameters after given steps of one fit, the very ones however its steps are cut into calls: a stopping rule that looks and never stops.
 *
 * ```ts
 * const path = snapshots<MeanFieldParameters>([10, 100, 1000]);
 * await fit({ …, steps: 1000, traceEvery: 10, stop: path.rule });
 * path.taken; // [{ step: 10, seconds, phi }, …]
 * ```
 *
 * @throws Error if a step is not a positive integer; and, in the fit, if a step is not one of the trace's points, multiples of `traceEvery`.
 */
export function snapshots<Phi extends Parameters>(steps: readonly number[]): Snapshots<Phi> {
  const bad = steps.find((step) => !Number.isInteger(step) || step < 1);
  if (bad !== undefined) throw new Error(`snapshots: a step must be a positive integer, not ${bad}.`);
  const wanted = [...new Set(steps)].sort((a, b) => a - b);
  const taken: Snapshot<Phi>[] = [];
  const rule = ({ step, seconds, state }: Progress<{ readonly phi: Phi }>): boolean => {
    const next = wanted[taken.length];
    if (next !== undefined && step > next)
      throw new Error(`snapshots: step ${next} is no point of the trace; give the fit a traceEvery that divides it.`);
    if (step === next) taken.push({ step, seconds, phi: cloneParameters(state.phi) });
    return false;
  };
  return {
    rule: Object.assign(rule, { asked: "point" as const }),
    taken,
    dispose: () => {
      for (const { phi } of taken.splice(0)) disposeParameters(phi);
    },
  };
}
