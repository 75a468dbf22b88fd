import { CompileError } from "../engine/compileError.js";
import { compileLoop, type LoopInputs, runSteps } from "../engine/compileLoop.js";
import type { Parameters } from "../engine/parameters.js";
import type { Key } from "../engine/random.js";
import type { Scalar, Tensor1D } from "../engine/tf.js";
import { tf } from "../engine/tf.js";
import type { Problem } from "../models/problem.js";
import type { Minibatches } from "./minibatches.js";
import type { ManySteps } from "./step.js";
import { type FitState, type VariationalStep, variationalStep } from "./variationalStep.js";

/**
 * How a fit runs its steps: recorded and replayed as a graph of libtensorflow; the same with XLA making the machine code of the whole; or
 * operation by operation. The wasm and cpu backends have neither graphs nor XLA: there the first two replay the recorded kernels.
 */
export type Compilation = "graph" | "xla" | "none";

/** Steps of a fit as calls of a compiled loop. */
export interface CompiledSteps<State extends Parameters> extends ManySteps<State> {
  /** Frees the graph. */
  dispose(): void;
}

/** What of a fit makes its step. */
export interface CompiledStepsOptions<Theta extends Parameters, Phi extends Parameters, Z> extends VariationalStep {
  /** The problem of one batch, where there are batches. */
  readonly problem: (batch: ReturnType<Minibatches["take"]> | undefined) => Problem<Theta, Phi, Z>;
  readonly batches?: Minibatches | undefined;
  /** What the user asked for; nothing where the library chooses, and may fall back. */
  readonly compile?: "graph" | "xla" | undefined;
  /** Whether XLA may be chosen: not where a later run is to go on from this one's checkpoint to the same bits. */
  readonly mayFuse: boolean;
  /** How many steps the run takes in all. */
  readonly steps: number;
}

type Each = { readonly learningRate: Scalar } | { readonly learningRate: Scalar; readonly rows: Tensor1D };
type Keys = { readonly step: Key } | { readonly step: Key; readonly batch: Key };
type Output = { readonly values: Tensor1D; readonly gradientNorms: Scalar };

/** The most steps that one call takes. */
const stepsPerCall = 64;

/** From this many steps on, small steps gain more from XLA than its seconds of compiling cost. */
const worthXla = 20_000;

/**
 * {@link variationalStep} many times a call, compiled. A step that cannot be compiled runs eagerly, after one warning that says why, unless
 * the user asked for it to be compiled.
 */
export function compiledSteps<Theta extends Parameters, Phi extends Parameters, Z>(
  options: CompiledStepsOptions<Theta, Phi, Z>,
): CompiledSteps<FitState<Theta, Phi>> {
  const { problem, batches, optimizer, compile, mayFuse, steps } = options;
  type State = FitState<Theta, Phi>;
  const step = ({ state, each, keys }: { state: State; each: Each; keys: Keys }): { state: State; output: Output } => {
    const batch = batches && "rows" in each && "batch" in keys ? batches.take(each.rows, keys.batch) : undefined;
    const { learningRate } = each;
    const inputs = { problem: problem(batch), state, key: keys.step, step: 0, learningRate };
    const { state: next, value, gradientNorm } = variationalStep(options, inputs);
    return { state: next, output: { values: value, gradientNorms: gradientNorm } };
  };
  const xla = compile === "xla" || (compile === undefined && mayFuse && steps >= worthXla ? "auto" : false);
  const loop = compileLoop<State, Each, Keys, Output>(step, { most: stepsPerCall, xla });
  let refused = false;
  const run = (inputs: LoopInputs<State, Each, Keys>): { state: State; output: Output } => {
    if (refused) return runSteps(step, inputs);
    try {
      return loop(inputs);
    } catch (error) {
      if (!(error instanceof CompileError) || compile) throw error;
      refused = true;
      console.warn(`fit: this step cannot be compiled and runs slower, one operation at a time. ${error.message}`);
      return runSteps(step, inputs);
    }
  };
  return {
    stepsPerCall,
    dispose: loop.dispose,
    run: ({ state, key, step: first, count }) => {
      const at = Array.from({ length: count }, (_, i) => first + i);
      const learningRate = tf.tensor1d(at.map(optimizer.schedule)) as unknown as Scalar;
      const rows = batches && tf.stack(at.map((t) => tf.tensor1d(batches.rowsAt(t), "int32")));
      const { state: next, output } = run({
        state,
        each: rows ? { learningRate, rows: rows as Tensor1D } : { learningRate },
        keys: batches ? { step: key, batch: batches.key } : { step: key },
        first,
        count,
      });
      return { state: next, ...output };
    },
  };
}
