import { leaves, type Parameters } from "../engine/parameters.js";
import { foldIn } from "../engine/random.js";
import { formatShape } from "../engine/shape.js";
import { tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import { isFiniteStep, notFinite } from "./guard.js";
import type { ManySteps, ManyStepsInputs, ManyStepsResult, Step } from "./step.js";

/** How a run advances: step by step, or many steps a call. */
export interface Advance<State extends Parameters> {
  readonly advance: Step<State>;
  readonly advanceMany?: ManySteps<State>;
}

/** What one call left: the state, and what each of its steps saw. */
export interface Call<State extends Parameters> {
  readonly state: State;
  readonly seen: readonly { readonly values: Float32Array; readonly gradientNorm: number | null }[];
}

/**
 * Takes `count` steps in one call and reads what they saw. The new state is the caller's to release.
 *
 * @throws Error if a call of many steps does not return a row a step.
 */
export function call<State extends Parameters>(
  { advance, advanceMany }: Advance<State>,
  inputs: ManyStepsInputs<State>,
): Call<State> {
  if (advanceMany) return read(inputs, advanceMany.run);
  return read(inputs, ({ state, key, step }) => {
    const { value, gradientNorm, ...next } = advance({ state, key: foldIn(key, step), step });
    return {
      state: next.state,
      values: tf.reshape(value, [1, ...value.shape]),
      ...(gradientNorm && { gradientNorms: tf.reshape(gradientNorm, [1]) }),
    };
  });
}

function read<State extends Parameters>(
  inputs: ManyStepsInputs<State>,
  run: (inputs: ManyStepsInputs<State>) => ManyStepsResult<State>,
): Call<State> {
  const { count } = inputs;
  const { state, values, gradientNorms } = tidied(() => run(inputs));
  try {
    for (const [name, tensor] of Object.entries({ values, gradientNorms })) {
      if (tensor === undefined || tensor.shape[0] === count) continue;
      throw new Error(
        `advanceMany: the ${name} of ${count} steps have the shape ${formatShape(tensor.shape)}, but need ${count} rows.`,
      );
    }
    const all = values.dataSync<"float32">();
    const norms = gradientNorms?.dataSync<"float32">();
    const width = all.length / count;
    const seen = Array.from({ length: count }, (_, i) => ({
      values: all.subarray(i * width, (i + 1) * width),
      gradientNorm: norms ? norms[i]! : null,
    }));
    return { state, seen };
  } catch (error) {
    release(state, [inputs.state]);
    throw error;
  } finally {
    tf.dispose([values, gradientNorms ?? []]);
  }
}

/**
 * Checks that the objective and the gradient of every step of a call are finite.
 *
 * A call of many steps shows no state between them: where one is bad, the steps up to it are taken again, one by one.
 *
 * @throws Error naming step, tensor and index.
 */
export function checkFinite<State extends Parameters>(
  advance: Step<State>,
  inputs: ManyStepsInputs<State>,
  { state: after, seen }: Call<State>,
): void {
  const bad = seen.findIndex((step) => !isFiniteStep(step));
  if (bad === -1) return;
  const { state, key, step, count } = inputs;
  const known = { step: step + bad, ...seen[bad]! };
  if (count === 1) throw notFinite({ ...known, before: state, after });
  const take = (from: State, i: number): State =>
    call({ advance }, { state: from, key, step: step + i, count: 1 }).state;
  let before = state;
  try {
    for (let i = 0; i < bad; i++) {
      const next = take(before, i);
      release(before, [state, next]);
      before = next;
    }
    const last = take(before, bad);
    const error = notFinite({ ...known, before, after: last });
    release(last, [state, before]);
    throw error;
  } finally {
    release(before, [state]);
  }
}

/** Disposes the tensors of a record that are in none of the others. */
export function release(record: Parameters, keep: readonly Parameters[]): void {
  const kept = new Set(keep.flatMap((other) => leaves(other).map(({ tensor }) => tensor)));
  for (const { tensor } of leaves(record)) if (!kept.has(tensor)) tensor.dispose();
}

/** How many steps to take in the next call, by how long the last ones took. */
export interface CallLength {
  /** At most `room`. */
  next(room: number): number;
  took(count: number, milliseconds: number): void;
}

/**
 * Calls of one step, then of twice as many each time while they stay shorter than `milliseconds`, so that a run can be interrupted and its
 * progress seen.
 *
 * @throws Error if `most` is not a positive integer.
 */
export function callLength({
  most,
  milliseconds,
}: {
  readonly most: number;
  readonly milliseconds: number;
}): CallLength {
  if (!Number.isInteger(most) || most < 1) {
    throw new Error(`advanceMany: stepsPerCall must be a positive integer, not ${most}.`);
  }
  let allowed = 1;
  return {
    next: (room) => Math.min(allowed, room),
    took: (count, time) => {
      const fitting = Math.floor((milliseconds * count) / Math.max(time, 1e-3));
      allowed = Math.max(1, Math.min(fitting, 2 * allowed, most));
    },
  };
}
