import { compile, compileLoop, type Key, type Parameters, type Scalar, tf } from "marginalia";
import { stepKey, stepsKey } from "./start.js";
import type { State, Step, StepOutputs } from "./workload.js";

/** A way to run a step. */
export interface Variant {
  /** Steps that one call takes. */
  readonly steps: number;
  /** The state after the call whose number this is, and the mean loss of its steps. */
  advance(state: State, call: number): StepOutputs;
  dispose(): void;
}

/** Steps in one call of the variant "loop"; the other frameworks' is as long. */
const loopSteps = 100;

/** The ways in which this library runs a step on given data. */
export const variants: Readonly<Record<string, (step: Step, data: Parameters) => Variant>> = {
  eager: (step, data) => ({
    steps: 1,
    advance: (state, call) => step({ state, data, key: stepKey(call) }),
    dispose: () => undefined,
  }),
  compiled: (step, data) => single(step, data, false),
  xla: (step, data) => single(step, data, true),
  loop: (step, data) => many(step, data, false),
  "loop-xla": (step, data) => many(step, data, true),
};

function single(step: Step, data: Parameters, xla: boolean): Variant {
  const compiled = compile(step, { xla });
  return {
    steps: 1,
    advance: (state, call) => compiled({ state, data, key: stepKey(call) }),
    dispose: compiled.dispose,
  };
}

function many(step: Step, data: Parameters, xla: boolean): Variant {
  const loop = compileLoop(
    ({ state, keys: { key } }: { readonly state: State; readonly keys: { readonly key: Key } }) => {
      const next = step({ state, data, key });
      return { state: next.state, output: { loss: next.loss } };
    },
    { most: loopSteps, xla },
  );
  return {
    steps: loopSteps,
    advance: (state, call) => {
      const inputs = { state, each: {}, keys: { key: stepsKey }, first: call * loopSteps, count: loopSteps };
      const { state: next, output } = loop(inputs);
      const loss = tf.mean(output.loss) as Scalar;
      output.loss.dispose();
      return { state: next, loss };
    },
    dispose: loop.dispose,
  };
}
