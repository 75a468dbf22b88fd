import { CompileError } from "../engine/compileError.js";
import { type CompiledLoop, compileLoop, type LoopInputs, runSteps } from "../engine/compileLoop.js";
import type { Parameters } from "../engine/parameters.js";
import type { Key } from "../engine/random.js";
import { type Scalar, type Tensor, type Tensor1D, tf } from "../engine/tf.js";
import type { Gradient } from "../gradients/gradient.js";
import type { Problem } from "../models/problem.js";
import type { Minibatch, Minibatches } from "./minibatches.js";
import type { ManySteps, ManyStepsInputs } from "./step.js";
import type { PlainValue } from "./stepwise.js";
import type { Stage, Timetable } from "./timetable.js";
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
export interface CompiledStepsOptions<Theta extends Parameters, Phi extends Parameters, Z>
  extends Omit<VariationalStep, "samples"> {
  /** The problem of one batch, where there are batches, at what the schedules and stages are. */
  readonly problem: (
    batch: Minibatch | undefined,
    at: Readonly<Record<string, Scalar | PlainValue>>,
  ) => Problem<Theta, Phi, Z>;
  /** The gradient at what the schedules and stages are, in place of `gradient`. */
  readonly gradientAt?: ((at: Readonly<Record<string, Scalar | PlainValue>>) => Gradient) | undefined;
  readonly timetable: Timetable;
  readonly batches?: Minibatches | undefined;
  /** What the user asked for; nothing where the library chooses, and may fall back. */
  readonly compile?: "graph" | "xla" | undefined;
  /** Whether XLA may be chosen: not where a later run is to go on from this one's checkpoint to the same bits. */
  readonly mayFuse: boolean;
  /** How many steps the run takes in all. */
  readonly steps: number;
}

type Each = {
  readonly learningRate: Scalar;
  readonly numbers: Readonly<Record<string, Scalar>>;
  readonly rows: readonly Tensor1D[];
};
type Keys = { readonly step: Key } | { readonly step: Key; readonly batch: Key };
type Output = { readonly values: Tensor1D; readonly gradientNorms: Scalar };

/** The most steps that one call takes. */
const stepsPerCall = 64;

/** From this many steps on, small steps gain more from XLA than its seconds of compiling cost. */
const worthXla = 20_000;

/**
 * {@link variationalStep} many times a call, compiled: schedules are fed like the learning rate, and each stage has a graph of its own, which is recorded when it
 * begins. A step that cannot be compiled runs eagerly, after one warning that says why, unless the user asked for it to be compiled.
 */
export function compiledSteps<Theta extends Parameters, Phi extends Parameters, Z>(
  options: CompiledStepsOptions<Theta, Phi, Z>,
): CompiledSteps<FitState<Theta, Phi>> {
  const { problem, gradientAt, timetable, batches, optimizer, compile, mayFuse, steps } = options;
  type State = FitState<Theta, Phi>;
  type StateAndOutput = { readonly state: State; readonly output: Output };
  const xla = compile === "xla" || (compile === undefined && mayFuse && steps >= worthXla ? "auto" : false);
  const stepIn =
    ({ samples, values }: Stage) =>
    ({ state, each, keys }: { state: State; each: Each; keys: Keys }): StateAndOutput => {
      const [rows] = each.rows;
      const batch = batches && rows && "batch" in keys ? batches.take(rows, keys.batch) : undefined;
      const at = { ...each.numbers, ...values };
      const inputs = { problem: problem(batch, at), state, key: keys.step, step: 0, learningRate: each.learningRate };
      const {
        state: next,
        value,
        gradientNorm,
      } = variationalStep({ ...options, samples, ...(gradientAt && { gradient: gradientAt(at) }) }, inputs);
      return { state: next, output: { values: value, gradientNorms: gradientNorm } };
    };
  let recorded: { readonly stage: string; readonly loop: CompiledLoop<State, Each, Keys, Output> } | undefined;
  const loopOf = (stage: Stage): CompiledLoop<State, Each, Keys, Output> => {
    const name = JSON.stringify(stage);
    if (recorded?.stage !== name) {
      recorded?.loop.dispose(); // a stage that is over seldom comes back
      recorded = { stage: name, loop: compileLoop(stepIn(stage), { most: stepsPerCall, xla }) };
    }
    return recorded.loop;
  };
  let refused = false;
  const take = (stage: Stage, inputs: LoopInputs<State, Each, Keys>): StateAndOutput => {
    if (refused) return runSteps(stepIn(stage), inputs);
    try {
      return loopOf(stage)(inputs);
    } catch (error) {
      if (!(error instanceof CompileError) || compile) throw error;
      refused = true;
      console.warn(`fit: this step cannot be compiled and runs slower, one operation at a time. ${error.message}`);
      return runSteps(stepIn(stage), inputs);
    }
  };
  const runStage = ({ state, key, step: first, count }: ManyStepsInputs<State>): StateAndOutput => {
    const at = Array.from({ length: count }, (_, i) => first + i);
    const each: Each = {
      learningRate: tf.tensor1d(at.map(optimizer.schedule)) as unknown as Scalar,
      numbers: timetable.numbersAt(at),
      rows: batches ? [tf.stack(at.map((t) => tf.tensor1d(batches.rowsAt(t), "int32"))) as Tensor1D] : [],
    };
    const keys = batches ? { step: key, batch: batches.key } : { step: key };
    return take(timetable.stageAt(first), { state, each, keys, first, count });
  };
  return {
    stepsPerCall,
    dispose: () => recorded?.loop.dispose(),
    run: ({ state, key, step: first, count }) => {
      const parts: Output[] = [];
      let now = state;
      for (let t = first; t < first + count; ) {
        const within = Math.min(first + count - t, timetable.stepsLeft(t)); // a graph holds one stage
        const { state: next, output } = runStage({ state: now, key, step: t, count: within });
        now = next;
        parts.push(output);
        t += within;
      }
      return {
        state: now,
        values: joined(parts.map(({ values }) => values)),
        gradientNorms: joined(parts.map(({ gradientNorms }) => gradientNorms)),
      };
    },
  };
}

/** The rows of all parts, one after another. */
function joined(parts: readonly Tensor[]): Tensor {
  return parts.length === 1 ? parts[0]! : tf.concat([...parts]);
}
