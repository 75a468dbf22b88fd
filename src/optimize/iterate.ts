import { breathe } from "../engine/interrupt.js";
import type { Parameters } from "../engine/parameters.js";
import type { Key } from "../engine/random.js";
import { type Advance, call, callLength, checkFinite, release } from "./calls.js";
import { type Checkpoint, type CheckpointOptions, openCheckpoint } from "./checkpoint.js";
import { stateNotFinite } from "./guard.js";
import { type Progress, rateMeter } from "./progress.js";
import type { StopRule } from "./stopping.js";
import { type TracePoint, tracer } from "./trace.js";

/** Options of {@link iterate} that {@link fit} shares. */
export interface IterateOptions<State extends Parameters> {
  /** How many steps, ≥ 1. */
  readonly steps: number;
  readonly key: Key;
  /**
   * Called at most every `progressEvery` milliseconds and after the last step: a live loss curve. Between two calls of a compiled run lie
   * several steps; 0 makes it one.
   */
  readonly onProgress?: (progress: Progress<State>) => void | Promise<void>;
  /** Default 250 ms. */
  readonly progressEvery?: number;
  /** Ends the run when it returns true; asked after every step, or as rarely as a {@link StopRule} says. */
  readonly stop?: StopRule<State>;
  /** Steps that one point of the trace averages over. Default: what makes about 500 points, or what a resumed run had. */
  readonly traceEvery?: number;
  /** Where to keep the run so that it can be resumed, to the same bits as if it had not been broken off. */
  readonly checkpoint?: CheckpointOptions;
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

/** No call of many steps holds the event loop for longer, in milliseconds. */
const longestCall = 50;

/**
 * Repeats a step: state_{t+1} = step(state_t, key_t), with key_t folded from the key by t.
 *
 * The given state stays the caller's; the states between are disposed as they are replaced, so memory does not grow. It can be interrupted
 * before any call. Not converging is no error.
 *
 * @param options.advance one step.
 * @param options.advanceMany many steps in one call, taken in place of single ones; how the steps are cut into calls changes no number.
 * @throws Error naming the step and the first bad tensor and index, if the objective, the gradient or the last state is not finite; or if
 *   `steps` or `traceEvery` is not a positive integer; or as a checkpoint does that cannot be written, is damaged or is of another run.
 */
export async function iterate<State extends Parameters>(
  options: IterateOptions<State> & Advance<State> & { readonly init: State },
): Promise<IterateResult<State>> {
  const { init, advanceMany, steps, key, onProgress, progressEvery = 250, stop } = options;
  const defaultTraceEvery = Math.max(1, Math.round(steps / 500));
  for (const [name, count] of Object.entries({ steps, traceEvery: options.traceEvery ?? defaultTraceEvery })) {
    if (!Number.isInteger(count) || count < 1) throw new Error(`${name} must be a positive integer, not ${count}.`);
  }
  const lengths = callLength({
    most: advanceMany?.stepsPerCall ?? 1,
    milliseconds: Math.min(longestCall, onProgress ? progressEvery : longestCall),
  });
  const { traceEvery } = options;
  const checkpoint =
    options.checkpoint &&
    (await openCheckpoint(options.checkpoint, { init, key, steps, traceEvery, defaultTraceEvery }));
  const restored = checkpoint?.restored;
  const trace = tracer(checkpoint?.traceEvery ?? traceEvery ?? defaultTraceEvery, restored);
  const rate = rateMeter();
  const resumedAt = performance.now() - 1000 * (restored?.seconds ?? 0);
  const clock = (): number => (performance.now() - resumedAt) / 1000;
  let { state, step } = restored ?? { state: init, step: 0 };
  let saved = { step, seconds: clock() };
  let shown = clock();
  rate(step, shown);

  const save = async (to: Checkpoint<State>): Promise<void> => {
    if (saved.step === step) return;
    const bad = stateNotFinite(step - 1, state);
    if (bad) throw bad;
    await to.save({ step, seconds: clock(), trace: trace.points, partial: trace.partial, state });
    saved = { step, seconds: clock() };
  };
  const progress = (): Progress<State> => {
    const { value, gradientNorm, seconds } = trace.partial.last!;
    const stepsPerSecond = rate(step, seconds);
    const secondsLeft = step === steps ? 0 : (steps - step) / stepsPerSecond;
    return { step, steps, value, gradientNorm, seconds, stepsPerSecond, secondsLeft, trace: trace.points, state };
  };
  const asksHere = (): boolean => stop?.asked !== "point" || step % trace.every === 0;
  // What looks at the run between two calls must see the same steps however the calls are cut.
  const boundaries = [
    steps,
    ...(stop?.asked === "point" ? [trace.every] : []),
    ...(stop && (stop.asked ?? "step") === "step" ? [1] : []),
    ...(checkpoint?.everySteps ? [checkpoint.everySteps] : []),
  ];

  try {
    // A run that had stopped when it was saved stops again before another step.
    let stopping = restored !== undefined && asksHere() && (stop?.(progress()) ?? false);
    while (step < steps && !stopping) {
      await breathe();
      const count = lengths.next(Math.min(...boundaries.map((every) => every - (step % every))));
      const inputs = { state, key, step, count };
      const before = clock();
      const result = call(options, inputs);
      const now = clock();
      lengths.took(count, 1000 * (now - before));
      try {
        checkFinite(options.advance, inputs, result);
      } catch (error) {
        release(result.state, [state, init]);
        throw error;
      }
      for (const [i, { values, gradientNorm }] of result.seen.entries()) {
        const value = values.reduce((total, term) => total + term, 0) / values.length;
        const seconds = before + ((now - before) * (i + 1)) / count;
        trace.add({ step: step + i + 1, value, gradientNorm, seconds });
      }
      state = result.state;
      step += count;
      release(inputs.state, [state, init]);
      stopping = stop !== undefined && asksHere() && stop(progress());
      const ends = step === steps || stopping;
      const dueByStep = checkpoint?.everySteps && step % checkpoint.everySteps === 0;
      const dueByTime = checkpoint?.everySeconds !== undefined && now - saved.seconds >= checkpoint.everySeconds;
      if (checkpoint && (ends || dueByStep || dueByTime)) await save(checkpoint);
      if (onProgress && !ends && 1000 * (now - shown) >= progressEvery) {
        shown = now;
        await onProgress(progress());
      }
    }
    const bad = stateNotFinite(step - 1, state);
    if (bad) throw bad;
    await onProgress?.({ ...progress(), trace: trace.finished() });
    return {
      state,
      trace: trace.finished(),
      steps: step,
      stoppedBecause: stopping ? "stop returned true" : "all steps taken",
    };
  } catch (error) {
    try {
      if (checkpoint && (error as Error)?.name === "KeyboardInterrupt") await save(checkpoint);
    } finally {
      release(state, [init]);
    }
    throw error;
  }
}
