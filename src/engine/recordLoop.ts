import { CompileError } from "./compileError.js";
import { dataTypes, Graph, type Reference } from "./graph.js";
import { executeNative } from "./native.js";
import type { Key } from "./random.js";
import { offRecord, Recording, recordInto } from "./recorder.js";
import { formatShape } from "./shape.js";
import { type Tensor, tf } from "./tf.js";

/** A loop to record. */
export interface LoopToRecord {
  /** How many turns, or a scalar of the graph that holds it. */
  readonly turns: number | Reference;
  /** What every turn hands to the next. */
  readonly carry: readonly Tensor[];
  /** One row a turn: each tensor's first axis counts the turns. */
  readonly each: readonly Tensor[];
  /** The keys of each turn; there can be no more turns than these. */
  readonly keys: readonly (readonly Key[])[];
  /** What is to be collected over the turns, with what is carried on. */
  readonly body: (
    carry: readonly Tensor[],
    each: readonly Tensor[],
    keys: readonly Key[],
  ) => { readonly carry: readonly Tensor[]; readonly collected: readonly Tensor[] };
}

/** Where the results of a recorded loop stand. */
export interface RecordedLoop {
  readonly carry: readonly Reference[];
  /** `[most, …]` each. */
  readonly collected: readonly Reference[];
  /** Tensors of the recorded turn, for shapes. */
  readonly sample: { readonly carry: readonly Tensor[]; readonly collected: readonly Tensor[] };
}

/**
 * Records one turn of a loop as a function and adds a `While` that calls it; the body's tensors from around it become arguments that
 * every turn hands on unchanged.
 *
 * @throws Error if the body changes the shape or dtype of what it carries.
 */
export function recordLoop(around: Recording, loop: LoopToRecord): RecordedLoop {
  const body = new Recording(
    `${around.graph.name}_loop${around.functions.length}`,
    around.functions,
    around.fused,
    around,
  );
  const { graph } = body;
  const most = loop.keys.length;
  const turn = graph.parameter(dataTypes.int32, []);
  const carry = offRecord(() => loop.carry.map(copyOf));
  const rows = offRecord(() => loop.each.map((stack) => tf.squeeze(tf.slice(stack, 0, 1), [0])));
  for (const tensor of carry) body.addInput(tensor);
  const stacks = loop.each.map((stack) => around.reference(stack));
  const zero = graph.integers(0);
  rows.forEach((row, i) => {
    const stack = graph.parameter((stacks[i] as Reference).dtype, loop.each[i]!.shape);
    body.name(row, graph.one("GatherV2", [stack, turn, zero], {}, row.shape));
  });
  const keys = loop.keys[0]!.map(({ words }): Key => ({ words }));
  for (const key of keys) body.keys.addRoot(key);
  const results = recordInto(body, () => loop.body(carry, rows, keys));
  checkCarry(carry, results.carry);
  const carried = results.carry.map((tensor) => body.reference(tensor));
  const values = results.collected.map((tensor) => body.reference(tensor));

  // Everything below is in the order of the body's parameters: turn, carry, stacks, captures, buffers, seeds.
  const buffers = values.map((value, i) => {
    const buffer = graph.parameter(value.dtype, [most, ...results.collected[i]!.shape]);
    return { buffer, next: writeRow(graph, buffer, turn, value, results.collected[i]!.shape) };
  });
  const seeds = body.keys.size > 0 ? around.loopSeeds(loop.keys, body.keys) : undefined;
  const seedsHere = seeds && graph.parameter(dataTypes.int32, []);
  if (seedsHere) body.bindSeeds(graph.one("GatherV2", [seedsHere, turn, zero]));
  const next = graph.one("AddV2", [turn, graph.integers(1)]);
  const fixedParameters = graph.parameters.slice(
    1 + carry.length,
    graph.parameters.length - buffers.length - (seeds ? 1 : 0),
  );
  graph.results = [
    next,
    ...carried,
    ...fixedParameters,
    ...buffers.map((each) => each.next),
    ...(seedsHere ? [seedsHere] : []),
  ];

  const condition = new Graph(`${graph.name}_condition`);
  const parameters = graph.parameters.map(({ dtype, shape }) => condition.parameter(dtype, shape));
  const limit = typeof loop.turns === "number" ? undefined : condition.parameter(dataTypes.int32, []);
  condition.results = [
    condition.one("Less", [parameters[0] as Reference, limit ?? condition.integers(loop.turns as number)]),
  ];
  if (limit) graph.results = [...graph.results, graph.parameter(dataTypes.int32, [])];
  around.functions.push(graph, condition);

  const outer = around.graph;
  const inputs = [
    outer.integers(0),
    ...loop.carry.map((tensor) => around.reference(tensor)),
    ...stacks,
    ...body.captures.map(({ reference }) => reference),
    ...results.collected.map((tensor, i) => zerosIn(outer, (values[i] as Reference).dtype, [most, ...tensor.shape])),
    ...(seeds ? [seeds] : []),
    ...(typeof loop.turns === "number" ? [] : [loop.turns]),
  ];
  const outputs = outer.add("StatelessWhile", inputs, {
    T: { list: { type: inputs.map(({ dtype }) => dtype) } },
    cond: { func: { name: condition.name } },
    body: { func: { name: graph.name } },
    parallel_iterations: { i: 1 },
  });
  const firstBuffer = 1 + carry.length + fixedParameters.length;
  return {
    carry: outputs.slice(1, 1 + carry.length),
    collected: outputs.slice(firstBuffer, firstBuffer + buffers.length),
    sample: results,
  };
}

/** The same numbers under an identity of their own. */
export function copyOf(tensor: Tensor): Tensor {
  return executeNative("Identity", { T: { type: tensor.dtype as "float32" } }, [tensor]);
}

function checkCarry(before: readonly Tensor[], after: readonly Tensor[]): void {
  if (before.length !== after.length) {
    throw new CompileError(
      `a loop's body must return as many tensors as it was given, ${before.length}, not ${after.length}.`,
    );
  }
  before.forEach((tensor, i) => {
    const other = after[i] as Tensor;
    if (tensor.dtype === other.dtype && formatShape(tensor.shape) === formatShape(other.shape)) return;
    throw new CompileError(
      `a loop's body must keep shapes and dtypes, but it makes ${other.dtype} ${formatShape(other.shape)} of ${tensor.dtype} ${formatShape(tensor.shape)}.`,
    );
  });
}

function writeRow(
  graph: Graph,
  buffer: Reference,
  turn: Reference,
  value: Reference,
  shape: readonly number[],
): Reference {
  const index = graph.one("Reshape", [turn, graph.integers([1, 1])]);
  const row = graph.one("Reshape", [value, graph.integers([1, ...shape])]);
  return graph.one("TensorScatterUpdate", [buffer, index, row]);
}

function zerosIn(graph: Graph, dtype: number, shape: readonly number[]): Reference {
  return graph.constant(dtype, shape, new Array<number>(shape.reduce((product, size) => product * size, 1)).fill(0));
}
