import { type CompileOptions, compile } from "./compile.js";
import { largestTensor } from "./compiledGraph.js";
import { isNative } from "./native.js";
import { leaves, type Parameters, withTensors } from "./parameters.js";
import { foldIn, type Key } from "./random.js";
import { currentRecording, offRecord } from "./recorder.js";
import { copyOf, recordLoop } from "./recordLoop.js";
import { formatShape } from "./shape.js";
import { flatten } from "./structure.js";
import { type Scalar, type Tensor, tf } from "./tf.js";
import { tidied } from "./values.js";

/** The keys of a loop by name. */
export type LoopKeys = Readonly<Record<string, Key>>;

/** One step of a loop: what it hands on, and what is to be collected of every step. */
export type LoopStep<
  State extends Parameters,
  Each extends Parameters,
  Keys extends LoopKeys,
  Output extends Parameters,
> = (inputs: {
  readonly state: State;
  /** This step's rows of what is given for each. */
  readonly each: Each;
  /** This step's own keys. */
  readonly keys: Keys;
}) => { readonly state: State; readonly output: Output };

/** What a compiled loop is called with. */
export interface LoopInputs<State extends Parameters, Each extends Parameters, Keys extends LoopKeys> {
  readonly state: State;
  /** One row a step: the first axis of every tensor is as long as there are steps. */
  readonly each: Each;
  /** Step t gets the keys folded from these by t. */
  readonly keys: Keys;
  /** t of the first step. */
  readonly first: number;
  /** How many steps, from 1 to the most there may be. */
  readonly count: number;
}

/** Options of {@link compileLoop}. */
export interface CompileLoopOptions extends CompileOptions {
  /** The most steps that one call may take. */
  readonly most: number;
}

/** A loop that runs as one call of a recorded graph. */
export interface CompiledLoop<
  State extends Parameters,
  Each extends Parameters,
  Keys extends LoopKeys,
  Output extends Parameters,
> {
  /** The state after the last step, and of every output a tensor with one row a step. */
  (inputs: LoopInputs<State, Each, Keys>): { readonly state: State; readonly output: Output };
  /** The most steps that one call takes. */
  readonly most: number;
  /** Frees the graph. */
  dispose(): void;
}

/**
 * A function that takes many steps in one call: the step is recorded as by {@link compile}, once, and libtensorflow goes round the loop.
 *
 * Steps on large tensors are called one by one, which is faster. The numbers do not depend on how the steps are cut into calls. On the wasm and cpu backends the loop is one of JavaScript over compiled steps.
 *
 * @throws Error as {@link compile}; or if `count` is not an integer from 1 to `most`, or what is given for each has not that many rows.
 */
export function compileLoop<
  State extends Parameters,
  Each extends Parameters,
  Keys extends LoopKeys,
  Output extends Parameters,
>(
  step: LoopStep<State, Each, Keys, Output>,
  { most, xla = false }: CompileLoopOptions,
): CompiledLoop<State, Each, Keys, Output> {
  // Where there are no graphs, and for large steps, each step is compiled by itself.
  const single = compile(step);
  let loops: boolean | undefined;
  const isLooped = (inputs: LoopInputs<State, Each, Keys>): boolean =>
    xla === true ||
    largestTensor(step as (given: unknown) => unknown, flatten<Key>(firstStep(inputs), "the step's input")) < large;
  const graph = compile((inputs: GraphInputs<State, Each, Keys>) => recordSteps(step, inputs, most), { xla });
  const call = (inputs: LoopInputs<State, Each, Keys>): { state: State; output: Output } => {
    const { state, each, keys, first, count } = inputs;
    if (!Number.isInteger(count) || count < 1 || count > most) {
      throw new Error(`compileLoop: count must be an integer from 1 to ${most}, not ${count}.`);
    }
    for (const { path, tensor } of leaves(each)) {
      if (tensor.shape[0] === count) continue;
      throw new Error(
        `compileLoop: each.${path} needs a row a step, ${count}, but has the shape ${formatShape(tensor.shape)}.`,
      );
    }
    // A derivative goes through the steps one by one; no gradient flows through a loop of the graph.
    if (!isNative() || tf.engine().state.gradientDepth > 0) return tidied(() => runSteps(single, inputs));
    return tidied(() => {
      if (!currentRecording()) {
        loops ??= isLooped(inputs);
        if (!loops) return runSteps(single, inputs);
      }
      const padded = mapEach(each, (rows) => padTo(rows, count, most));
      const taken = Array.from({ length: count }, (_, t) => keysAt(keys, first + t));
      const turns = [...taken, ...new Array<Keys>(most - count).fill(taken[count - 1] as Keys)];
      const result = graph({ state, each: padded, turns, count: tf.scalar(count, "int32") });
      const output = mapEach(result.output, (rows) => (count === most ? rows : tf.slice(rows, 0, count)));
      return { state: result.state, output };
    });
  };
  return Object.assign(call, {
    most,
    dispose: () => {
      graph.dispose();
      single.dispose();
    },
  });
}

/**
 * From tensors of this size on, a call a step is faster: libtensorflow optimises the body of a loop less, and a call costs little beside such a
 * step. Measured on two cores: an IWAE's step takes 8.2 ms by itself and 10.5 in a loop, a VAE's 3.0 and 3.5.
 */
const large = 2 ** 16;

/** What the first step of a call is given. */
function firstStep<State extends Parameters, Each extends Parameters, Keys extends LoopKeys>({
  state,
  each,
  keys,
  first,
}: LoopInputs<State, Each, Keys>): { state: State; each: Each; keys: Keys } {
  return { state, each: mapEach(each, (stack) => rowOf(stack, 0)), keys: keysAt(keys, first) };
}

interface GraphInputs<State, Each, Keys> {
  readonly state: State;
  readonly each: Each;
  readonly turns: readonly Keys[];
  readonly count: Scalar;
}

/** Runs while the graph is recorded: notes the loop, and returns stand-ins for its results. */
function recordSteps<
  State extends Parameters,
  Each extends Parameters,
  Keys extends LoopKeys,
  Output extends Parameters,
>(
  step: LoopStep<State, Each, Keys, Output>,
  { state, each, turns, count }: GraphInputs<State, Each, Keys>,
  most: number,
): { state: State; output: Output } {
  const around = currentRecording();
  if (!around) throw new Error("compileLoop: its graph can only be recorded by compile.");
  let shape: Output | undefined;
  const { carry, collected, sample } = recordLoop(around, {
    turns: around.reference(count),
    carry: tensorsOf(state),
    each: tensorsOf(each),
    keys: turns.map((keys) => Object.values(keys)),
    body: (tensors, rows, roots) => {
      const names = Object.keys(turns[0] as Keys);
      const keys = Object.fromEntries(names.map((name, i) => [name, roots[i] as Key])) as unknown as Keys;
      const result = step({ state: withTensors(state, tensors), each: withTensors(each, rows), keys });
      shape = result.output;
      return { carry: tensorsOf(result.state), collected: tensorsOf(result.output) };
    },
  });
  const states = offRecord(() => sample.carry.map(copyOf));
  const outputs = offRecord(() => sample.collected.map((tensor) => tf.stack(new Array<Tensor>(most).fill(tensor))));
  for (const [i, tensor] of states.entries()) around.name(tensor, carry[i]!);
  for (const [i, tensor] of outputs.entries()) around.name(tensor, collected[i]!);
  return { state: withTensors(state, states), output: withTensors(shape as Output, outputs) };
}

/** The same in JavaScript, step by step. */
export function runSteps<
  State extends Parameters,
  Each extends Parameters,
  Keys extends LoopKeys,
  Output extends Parameters,
>(
  step: LoopStep<State, Each, Keys, Output>,
  { state, each, keys, first, count }: LoopInputs<State, Each, Keys>,
): { state: State; output: Output } {
  const outputs: Output[] = [];
  let now = state;
  for (let t = 0; t < count; t++) {
    const before = now;
    const rows = mapEach(each, (stack) => rowOf(stack, t));
    const result = tidied(() => step({ state: before, each: rows, keys: keysAt(keys, first + t) }));
    now = result.state;
    outputs.push(result.output);
  }
  const columns = outputs.map(tensorsOf);
  const stacked = (columns[0] as readonly Tensor[]).map((_, i) =>
    tf.stack(columns.map((tensors) => tensors[i] as Tensor)),
  );
  return { state: now, output: withTensors(outputs[0] as Output, stacked) };
}

/** The keys of step t. */
function keysAt<Keys extends LoopKeys>(keys: Keys, t: number): Keys {
  return Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, foldIn(key, t)])) as unknown as Keys;
}

function rowOf(stack: Tensor, t: number): Tensor {
  return tf.squeeze(tf.slice(stack, t, 1), [0]);
}

function tensorsOf(record: Parameters): Tensor[] {
  return leaves(record).map(({ tensor }) => tensor);
}

function mapEach<P extends Parameters>(record: P, change: (tensor: Tensor) => Tensor): P {
  return withTensors(record, tensorsOf(record).map(change));
}

function padTo(rows: Tensor, count: number, most: number): Tensor {
  if (count === most) return rows;
  const padding = rows.shape.map((_, axis): [number, number] => [0, axis === 0 ? most - count : 0]);
  return tf.pad(rows, padding);
}
