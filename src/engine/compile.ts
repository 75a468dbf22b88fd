import { type CompiledGraph, compileGraph } from "./compiledGraph.js";
import { compileKernels } from "./compiledKernels.js";
import { isRecordingKernels } from "./kernelReplayRecorder.js";
import { isNative } from "./native.js";
import type { Key } from "./random.js";
import { currentRecording } from "./recorder.js";
import { type Flattened, flatten } from "./structure.js";
import { tf } from "./tf.js";
import { tidied } from "./values.js";

/** A step that runs as one call of a recorded graph. */
export interface CompiledStep<Inputs extends object, Outputs extends object> {
  (inputs: Inputs): Outputs;
  /** How many graphs it holds: one for every set of shapes, dtypes and plain values that it was called with. */
  readonly graphs: number;
  /** Frees the graphs. A later call compiles anew. */
  dispose(): void;
}

/** Options of {@link compile}. */
export interface CompileOptions {
  /**
   * Whether XLA compiles the whole graph to machine code, at its first run (about 5 ms an operation). Steps on small tensors, whose time
   * goes into starting operations, then run about twice as fast; large matrix products are slower. Results differ from eager's by
   * rounding. Some operations cannot be compiled (draws from the gamma distribution, sorting). With `"auto"`, XLA compiles graphs whose
   * tensors are all small and whose operations it knows. Default false.
   */
  readonly xla?: boolean | "auto";
}

/** A compiled step keeps this many graphs, and forgets the one that was used longest ago. */
const mostGraphs = 32;

/**
 * A function that does what `step` does, faster: its first call records the operations that the step runs as a graph of
 * libtensorflow, gradients and optimizer included, and every call replays that graph as one.
 *
 * ```ts
 * const step = compile(({ state, key }: { state: State; key: Key }) => variationalStep(method, { problem, state, key, step: 0 }));
 * const { state: next, value } = step({ state, key: foldIn(key, 0) });
 * ```
 *
 * The step must be a pure function of one nested record of tensors, keys and plain values (numbers, strings, booleans), and return a nested
 * record of tensors. Its draws come from the keys it is given, with the same bits as eager. Plain values are fixed in the graph; a call
 * with other shapes, dtypes or plain values compiles another. What the step takes from around itself is fixed too: numbers and small tensors become
 * constants, larger tensors are kept alive and read at every call. Loops in JavaScript are unrolled; `repeat` is a loop in the graph.
 *
 * The wasm and cpu backends have no graphs: there the recorded kernels are run again without what tfjs does around them, which is up to
 * three times as fast for steps on small tensors. Inside another compiled step, and inside a function that is being differentiated, the step
 * itself runs.
 *
 * @throws Error at the first call, naming the line, if the step reads a tensor's value, draws JavaScript random numbers, returns what is no
 *   tensor, or does not do the same in two runs.
 */
export function compile<Inputs extends object, Outputs extends object>(
  step: (inputs: Inputs) => Outputs,
  { xla = false }: CompileOptions = {},
): CompiledStep<Inputs, Outputs> {
  const graphs = new Map<string, CompiledGraph>();
  const call = (inputs: Inputs): Outputs => {
    if (currentRecording() || isRecordingKernels() || tf.engine().state.gradientDepth > 0) {
      return tidied(() => step(inputs));
    }
    const flat = flatten<Key>(inputs, "the step's input");
    return tidied(() => graphOf(flat).run(flat) as Outputs);
  };
  const graphOf = (flat: Flattened<Key>): CompiledGraph => {
    const signature = `${tf.getBackend()} ${flat.signature}`;
    const recorded = step as (inputs: unknown) => unknown;
    const make = (): CompiledGraph =>
      isNative() ? compileGraph(recorded, flat, { xla }) : compileKernels(recorded, flat);
    const graph = graphs.get(signature) ?? make();
    graphs.delete(signature);
    graphs.set(signature, graph); // the newest stands last
    if (graphs.size > mostGraphs) {
      const [oldest, unused] = graphs.entries().next().value as [string, CompiledGraph];
      unused.dispose();
      graphs.delete(oldest);
    }
    return graph;
  };
  const dispose = (): void => {
    for (const graph of graphs.values()) graph.dispose();
    graphs.clear();
  };
  return Object.defineProperty(Object.assign(call, { dispose }), "graphs", {
    get: () => graphs.size,
  }) as unknown as CompiledStep<Inputs, Outputs>;
}
