import type { Reference } from "./graph.js";
import { isNative } from "./native.js";
import { onOwnTape } from "./ownTape.js";
import { cloneParameters, disposeParameters, leaves, type Parameters, withTensors } from "./parameters.js";
import { foldIn, type Key } from "./random.js";
import { currentRecording, offRecord, type Recording } from "./recorder.js";
import { copyOf, recordLoop } from "./recordLoop.js";
import { tidied } from "./values.js";

/** A loop inside a step. */
export interface RepeatOptions<State extends Parameters> {
  /** How many turns, ≥ 0. */
  readonly times: number;
  readonly init: State;
  /** Turn t gets the key that is folded from this one by t. */
  readonly key: Key;
  /** One turn; it keeps the shapes and dtypes of the state. */
  readonly body: (inputs: { readonly state: State; readonly key: Key }) => State;
}

/**
 * state_{t+1} = body(state_t, key_t), `times` times: in a compiled step a loop of the graph, recorded once however many turns it takes;
 * elsewhere a loop in JavaScript.
 *
 * No gradient flows through it: its result is a constant to everything that differentiates.
 *
 * @returns the last state, new tensors.
 * @throws Error if `times` is not a non-negative integer, or (compiled) if the body changes a shape or a dtype.
 */
export function repeat<State extends Parameters>(options: RepeatOptions<State>): State {
  const { times } = options;
  if (!Number.isInteger(times) || times < 0) {
    throw new Error(`repeat: times must be a non-negative integer, not ${times}.`);
  }
  const recording = isNative() ? currentRecording() : undefined;
  return onOwnTape(() => (recording ? recordRepeat(recording, options) : runTurns(options)));
}

function runTurns<State extends Parameters>({ times, init, key, body }: RepeatOptions<State>): State {
  let state = cloneParameters(init);
  for (let turn = 0; turn < times; turn++) {
    const before = state;
    state = tidied(() => body({ state: before, key: foldIn(key, turn) }));
    disposeParameters(before);
  }
  return state;
}

function recordRepeat<State extends Parameters>(around: Recording, options: RepeatOptions<State>): State {
  const { times, init, key, body } = options;
  if (times === 0) return cloneParameters(init);
  const { carry, sample } = recordLoop(around, {
    turns: times,
    carry: leaves(init).map(({ tensor }) => tensor),
    each: [],
    keys: Array.from({ length: times }, (_, turn) => [foldIn(key, turn)]),
    body: (tensors, _, [turnKey]) => {
      const state = body({ state: withTensors(init, tensors), key: turnKey as Key });
      return { carry: leaves(state).map(({ tensor }) => tensor), collected: [] };
    },
  });
  const results = offRecord(() => sample.carry.map(copyOf));
  for (const [i, result] of results.entries()) around.name(result, carry[i] as Reference);
  return withTensors(init, results);
}
