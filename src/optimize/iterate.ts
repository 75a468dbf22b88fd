import { breathe } from "../engine/interrupt.js";
import { leaves, type Parameters } from "../engine/parameters.js";
import { foldIn, type Key } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import type { Tensor } from "../engine/tf.js";
import { tidied } from "../engine/values.js";

/** What a step is a pure function of. */
export interface StepInputs<State extends Parameters> {
  readonly state: State;
  /** This step's own key. */
  readonly key: Key;
  /** From 0. */
  readonly step: number;
}

/** One step of any method: the state it leaves and the objective it saw on the way, one value or one a datum. */
export type Step<State extends Parameters> = (inputs: StepInputs<State>) => {
  readonly state: State;
  readonly value: Tensor;
};

/** One point of the trace. */
export interface TracePoint {
  /** How many steps had been taken. */
  readonly step: number;
  /** Mean objective over the steps since the point before, averaged over data. */
  readonly value: number;
  /** Seconds since the start. */
  readonly seconds: number;
}

/** What a callback sees. */
export interface Progress<State extends Parameters> {
  /** How many steps have been taken. */
  readonly step: number;
  /** How many there are to take. */
  readonly steps: number;
  /** The last step's objective, averaged over data. */
  readonly value: number;
  readonly seconds: number;
  /** The trace so far. */
  readonly trace: readonly TracePoint[];
  /** The state now. Its tensors live until the next step: read or clone them, do not dispose or keep them. */
  readonly state: State;
}

/** Options of {@link iterate} that {@link fit} shares. */
export interface IterateOptions<State extends Parameters> {
  /** How many steps, ≥ 1. */
  readonly steps: number;
  readonly key: Key;
  /** Called at most every `progressEvery` milliseconds and after the last step: a live loss curve. */
  readonly onProgress?: (progress: Progress<State>) => void | Promise<void>;
  /** Default 250 ms. */
  readonly progressEvery?: number;
  /** Called after every step; true ends the run. */
  readonly stop?: (progress: Progress<State>) => boolean;
  /** Steps that one point of the trace averages over. Default: what makes about 500 points. */
  readonly traceEvery?: number;
}

/** How a run ended. */
export interface IterateResult<State extends Parameters> {
  /** The last state; the caller disposes it. */
  readonly state: State;
  readonly trace: readonly TracePoint[];
  /** Steps taken. */
  readonly steps: number;
  readonly stoppedBecause: "all steps taken" | "stop returned true";
}

/**
 * Repeats a step: state_{t+1} = step(state_t, key_t), with key_t folded from the key by t.
 *
 * The given state stays the caller's; the states between are disposed as they are replaced, so memory does not grow. It can be interrupted
 * before any step. Not converging is no error.
 *
 * @throws Error naming the step and the first bad tensor and index, if the objective or the state is not finite; or if `steps` or
 *   `traceEvery` is not a positive integer.
 */
export async function iterate<State extends Parameters>(
  options: IterateOptions<State> & { readonly init: State; readonly advance: Step<State> },
): Promise<IterateResult<State>> {
  const { init, advance, steps, key, onProgress, progressEvery = 250, stop } = options;
  const { traceEvery = Math.max(1, Math.round(steps / 500)) } = options;
  for (const [name, count] of Object.entries({ steps, traceEvery })) {
    if (!Number.isInteger(count) || count < 1) throw new Error(`${name} must be a positive integer, not ${count}.`);
  }
  const mine = new Set(leaves(init).map(({ tensor }) => tensor));
  const release = (state: State, next?: State): void => {
    const kept = new Set(next && leaves(next).map(({ tensor }) => tensor));
    for (const { tensor } of leaves(state)) if (!mine.has(tensor) && !kept.has(tensor)) tensor.dispose();
  };
  const started = performance.now();
  const trace: TracePoint[] = [];
  let state = init;
  let shown = started;
  let [sum, count] = [0, 0];
  try {
    for (let step = 0; step < steps; step++) {
      await breathe();
      const result = tidied(() => advance({ state, key: foldIn(key, step), step }));
      const values = result.value.dataSync<"float32">();
      result.value.dispose();
      const previous = state;
      state = result.state;
      if (!values.every((value) => Number.isFinite(value))) {
        const problem = objectiveIsNotFinite(step, values, previous, state);
        release(previous, state);
        throw problem;
      }
      release(previous, state);
      const isLast = step === steps - 1;
      // A bad state shows in the next objective, so only the last step's has to be looked at.
      const bad = isLast ? firstBadLeaf(state) : undefined;
      if (bad) throw new Error(`Step ${step}: ${bad}. ${remedy}`);
      const value = values.reduce((total, term) => total + term, 0) / values.length;
      sum += value;
      count++;
      const now = performance.now();
      const seconds = (now - started) / 1000;
      const progress = { step: step + 1, steps, value, seconds, trace, state };
      const stopping = stop?.(progress) ?? false;
      if ((step + 1) % traceEvery === 0 || isLast || stopping) {
        trace.push({ step: step + 1, value: sum / count, seconds });
        [sum, count] = [0, 0];
      }
      if (onProgress && (isLast || stopping || now - shown >= progressEvery)) {
        shown = now;
        await onProgress(progress);
      }
      if (stopping) return { state, trace, steps: step + 1, stoppedBecause: "stop returned true" };
    }
    return { state, trace, steps, stoppedBecause: "all steps taken" };
  } catch (error) {
    release(state);
    throw error;
  }
}

const remedy = "Try a smaller learning rate, and look at the log-density for log 0 or overflow.";

/** Where a non-finite objective comes from: the step before, if its update was bad; else this step. */
function objectiveIsNotFinite(step: number, values: Float32Array, before: Parameters, after: Parameters): Error {
  const updated = firstBadLeaf(before);
  if (updated && step > 0) return new Error(`Step ${step - 1}: ${updated} in its update. ${remedy}`);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  const objective = `the objective${values.length > 1 ? ` of datum ${bad}` : ""} is ${values[bad]}`;
  const consequence = firstBadLeaf(after);
  return new Error(
    `Step ${step}: ${objective}${consequence ? `, and ${consequence}` : ""}. ` +
      (step === 0
        ? "Nothing had been updated yet: look at the data, the initial parameters and the log-density there."
        : remedy),
  );
}

/** The first number of a record that is not finite, as a clause; nothing where all are. */
function firstBadLeaf(state: Parameters): string | undefined {
  for (const { path, tensor } of leaves(state)) {
    const values = tensor.dataSync();
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad === -1) continue;
    const index: number[] = [];
    for (let axis = tensor.rank - 1, rest = bad; axis >= 0; axis--) {
      index.unshift(rest % tensor.shape[axis]);
      rest = Math.floor(rest / tensor.shape[axis]);
    }
    return `${path}${tensor.rank === 0 ? "" : formatShape(index)} became ${values[bad]}`;
  }
  return undefined;
}
