import { callSite } from "./callSite.js";
import { CompileError } from "./compileError.js";
import { philoxStates } from "./fusedDraws.js";
import { dataTypes, Graph, type GraphNode } from "./graph.js";
import type { DataId } from "./nativeBackend.js";
import type { Key } from "./random.js";
import { Recording, recordInto } from "./recorder.js";
import { copyOf } from "./recordLoop.js";
import { Session } from "./session.js";
import { type Flattened, flatten } from "./structure.js";
import { type Tensor, tf } from "./tf.js";
import type { Words } from "./threefry.js";

/** The graph of a step for one set of shapes. */
export interface CompiledGraph {
  /** Runs it on inputs of that set of shapes; the tensors of the result belong to the enclosing `tidy`. */
  run(inputs: Flattened<Key>): unknown;
  dispose(): void;
}

/** A step, recorded. */
interface Recorded {
  readonly recording: Recording;
  readonly outputs: Flattened<Key>;
}

/** XLA compiles a graph by itself only if no tensor of it is larger: it wins where starting operations is what takes the time. */
const largestForXla = 2 ** 15;

/**
 * Records the step and loads it.
 *
 * It is recorded twice, with different keys: what differs between the two would be frozen in the graph, so the step is refused.
 */
export function compileGraph(
  step: (inputs: unknown) => unknown,
  inputs: Flattened<Key>,
  { xla }: { readonly xla: boolean | "auto" },
): CompiledGraph {
  const load = (fused: boolean): CompiledGraph => loadGraph(recordTwice(step, inputs, fused));
  if (xla !== "auto") return load(xla);
  const recorded = recordTwice(step, inputs, false);
  if (!isSmall(recorded.recording)) return loadGraph(recorded);
  return xlaOrGraph(
    () => load(true),
    () => loadGraph(recorded),
  );
}

/** XLA says what it cannot compile only when it is asked to, at the first run; then the graph runs without it. */
function xlaOrGraph(withXla: () => CompiledGraph, without: () => CompiledGraph): CompiledGraph {
  let graph: CompiledGraph | undefined;
  return {
    run: (inputs) => {
      if (graph) return graph.run(inputs);
      let fused: CompiledGraph | undefined;
      try {
        fused = withXla();
        const result = fused.run(inputs);
        graph = fused;
        return result;
      } catch {
        fused?.dispose();
        graph = without();
        return graph.run(inputs);
      }
    },
    dispose: () => graph?.dispose(),
  };
}

function recordTwice(step: (inputs: unknown) => unknown, inputs: Flattened<Key>, fused: boolean): Recorded {
  const recorded = record(step, inputs, inputs.keys, fused);
  refuseDifference(recorded.recording, record(step, inputs, otherKeys(inputs.keys), fused).recording);
  return recorded;
}

/** Keys that share no word with these. */
export function otherKeys(keys: readonly Key[]): Key[] {
  return keys.map(({ words: [a, b] }) => ({ words: [~a >>> 0, ~b >>> 0] }));
}

function isSmall(recording: Recording): boolean {
  return largestSize(recording) <= largestForXla;
}

function largestSize({ graph, functions }: Recording): number {
  return Math.max(...[graph, ...functions].flatMap(({ nodes }) => nodes.map(({ size = 0 }) => size)));
}

/** How many elements the largest tensor has that the step makes. It records the step to see. */
export function largestTensor(step: (inputs: unknown) => unknown, inputs: Flattened<Key>): number {
  return largestSize(record(step, inputs, inputs.keys, false).recording);
}

function loadGraph({ recording, outputs }: Recorded): CompiledGraph {
  const { keys, captures, graph, functions, fused, seedWords } = recording;
  if (keys.size > 0) recording.bindSeeds(graph.parameter(dataTypes.int32, [keys.size, seedWords]));
  const captured = captures.map(({ id }) => ({ dataId: id }));
  const session = fused ? throughXla(graph, functions, captured) : new Session(graph, functions, captured);
  const words = new Int32Array(2 * keys.size);
  return {
    run: ({ tensors, keys: roots }) => {
      const seeds = keys.size > 0 ? [seedsOf({ keys, fused, seedWords }, roots, words)] : [];
      const results = session.run([...tensors, ...captured, ...seeds]);
      return outputs.rebuild(results, []);
    },
    dispose: () => session.release(),
  };
}

/** Loads the graph as one function that XLA compiles whole, at its first run. */
function throughXla(
  graph: Graph,
  functions: readonly Graph[],
  captured: readonly { readonly dataId: DataId }[],
): Session {
  const outer = new Graph("outer");
  graph.functionAttributes = { _XlaMustCompile: { b: true } };
  const inputs = graph.parameters.map(({ dtype, shape }) => outer.parameter(dtype, shape));
  outer.results = outer.add("PartitionedCall", inputs, {
    f: { func: { name: graph.name } },
    Tin: { list: { type: inputs.map(({ dtype }) => dtype) } },
    Tout: { list: { type: graph.results.map(({ dtype }) => dtype) } },
    _XlaMustCompile: { b: true },
  });
  return new Session(outer, [graph, ...functions], captured);
}

function seedsOf(
  { keys, fused, seedWords }: Pick<Recording, "keys" | "fused" | "seedWords">,
  roots: readonly Key[],
  words: Int32Array,
): Tensor {
  keys.seeds(
    roots.map(({ words: root }): Words => root),
    words,
  );
  return tf.tensor2d(fused ? philoxStates(words) : words.slice(), [keys.size, seedWords], "int32");
}

/** Runs the step once with every operation noted. Its tensors are let go: only their names in the graph are kept. */
function record(
  step: (inputs: unknown) => unknown,
  inputs: Flattened<Key>,
  keys: readonly Key[],
  xla: boolean,
): Recorded {
  const recording = new Recording("step", [], xla);
  let outputs: Flattened<Key> | undefined;
  tf.tidy(() => {
    // Copies, so that no two inputs share their numbers: by them the recorder tells tensors apart.
    const copies = inputs.tensors.map(copyOf);
    for (const copy of copies) recording.addInput(copy);
    const roots = keys.map(({ words }) => ({ words }));
    for (const root of roots) recording.keys.addRoot(root);
    recordInto(recording, () => {
      outputs = flatten<Key>(step(inputs.rebuild(copies, roots)), "the step's output");
      recording.graph.results = outputs.tensors.map((tensor) => recording.reference(tensor));
    });
  });
  checkOutputs(outputs as Flattened<Key>);
  return { recording, outputs: outputs as Flattened<Key> };
}

/** What is no tensor in the result would be that of the recorded call for ever. */
export function checkOutputs({ tensors, keys, plain }: Flattened<Key>): void {
  if (plain[0]) throw new CompileError(`${plain[0]} is a plain value, which would be frozen; return tensors alone.`);
  if (keys.length > 0) throw new CompileError("the step returns a key; derive the next one outside of it.");
  if (tensors.length === 0) throw new CompileError("the step must return at least one tensor.");
}

/** Refuses a step that did not do the same in two runs. */
function refuseDifference(first: Recording, second: Recording): void {
  const place = differentNode(first.graph, second.graph);
  if (place !== undefined) {
    const node = second.graph.nodes[place];
    if (node?.operation === "Const") {
      throw new CompileError(
        `a number changes from run to run${callSite(second.origins[place])} and would be frozen; ` +
          "give the step what changes as a tensor, and let it draw from the keys that it is given.",
      );
    }
    throw new CompileError(
      `two runs of the step on the same input differ in their operations (${first.graph.nodes[place]?.operation ?? "none"}, ${node?.operation ?? "none"}); ` +
        "the step must be a pure function of its input.",
    );
  }
  if (
    first.captures.length !== second.captures.length ||
    first.captures.some(({ id }, i) => id !== second.captures[i]?.id)
  ) {
    throw new CompileError("the step takes other tensors from around itself in every run; give them to it as inputs.");
  }
  if (!sameValue(first.keys.description, second.keys.description)) {
    throw new CompileError(
      "the keys that the step derives change from run to run and would be frozen; derive them from the keys that it is given alone, " +
        "and fold counters in before the call.",
    );
  }
  first.functions.forEach((body, i) => {
    const other = second.functions[i];
    if (!other || differentNode(body, other) !== undefined) {
      throw new CompileError("two runs of a loop's body differ; it must be a pure function of its input.");
    }
  });
}

function differentNode(a: Graph, b: Graph): number | undefined {
  const length = Math.max(a.nodes.length, b.nodes.length);
  for (let i = 0; i < length; i++) {
    if (!sameNode(a.nodes[i], b.nodes[i])) return i;
  }
  return undefined;
}

function sameNode(a: GraphNode | undefined, b: GraphNode | undefined): boolean {
  if (!a || !b || a.operation !== b.operation || a.inputs.length !== b.inputs.length) return false;
  const same = a.inputs.every(
    ({ node, position }, i) => node === b.inputs[i]?.node && position === b.inputs[i].position,
  );
  return same && sameValue(a.attributes, b.attributes);
}

function sameValue(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b);
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => sameValue((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]));
}
