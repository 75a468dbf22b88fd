import { plan, run, type View } from "./kernelReplayPlan.js";
import { isRecordingKernels, KernelRecorder } from "./kernelReplayRecorder.js";
import type { Key } from "./random.js";
import { formatShape } from "./shape.js";
import { type Tensor, tf } from "./tf.js";

/** What a recorded step is a function of. */
export interface ReplayInputs {
  readonly inputs: readonly Tensor[];
  readonly keys: readonly Key[];
}

/** A step that can be run again. */
export interface KernelReplay {
  /** What the recorded run returned; the caller's. */
  readonly outputs: Tensor[];
  /** How many kernels and draws a replay runs. */
  readonly kernels: number;
  /**
   * What the step returns for other inputs and keys, bit for bit; the caller's. It leaves no trace on a gradient tape.
   *
   * @throws Error if the inputs differ from the recorded ones in number, shape or dtype, after {@link dispose}, or while another step is
   *   recorded.
   */
  replay(inputs: readonly Tensor[], keys: readonly Key[]): Tensor[];
  /** Frees the constants of the step. */
  dispose(): void;
}

/**
 * Runs a step once on a backend of kernels (wasm, cpu) and records the kernels it runs, to run them again without what tfjs does around
 * them: tape, scopes, tensors for what lies between, copies for the way back, and everything that the results do not depend on.
 *
 * @param step a pure function of tensors and keys; it is called once, with stand-ins of the same values. What else it uses is a constant.
 * @throws CompileError if the step reads a value, draws a random number of JavaScript, uses a variable, or runs an operation whose output's
 *   shape depends on values.
 */
export function recordKernels(
  step: (inputs: readonly Tensor[], keys: readonly Key[]) => readonly Tensor[],
  given: ReplayInputs,
): KernelReplay {
  const backend = tf.backend();
  // Stand-ins have data and identity of their own, so that inputs are told apart from each other and from what the step captures.
  const keys = given.keys.map(({ words }): Key => ({ words }));
  const recorder = new KernelRecorder(backend, keys);
  let inputs: View[] = [];
  let results: View[] = [];
  const record = (): Tensor[] => {
    const standIns = given.inputs.map((input) => tf.tensor(input.dataSync(), input.shape, input.dtype));
    inputs = standIns.map((tensor) => recorder.input(tensor));
    const returned = recorder.watch(() => step(standIns, keys));
    results = returned.map((tensor) => recorder.view(tensor));
    return returned.map((tensor) => tf.clone(tensor));
  };
  const dispose = (): void => tf.dispose(recorder.constants.splice(0));
  let outputs: Tensor[];
  try {
    outputs = tf.tidy(record);
  } catch (error) {
    dispose();
    throw error;
  }
  const values = [...new Set(results.map(({ value }) => value))];
  const calls = plan(recorder.calls, values);
  let disposed = false;
  return {
    outputs,
    kernels: calls.length,
    replay: (tensors, keys) => {
      if (disposed) throw new Error("The compiled step has been disposed.");
      if (isRecordingKernels())
        throw new Error("A step that is being recorded cannot hold the replay of another; call the step itself.");
      checkLike(inputs, tensors);
      recorder.rekey(keys.map(({ words }) => words));
      for (const [i, { value }] of inputs.entries()) value.place(tensors[i]!);
      run(calls, backend);
      const made = results.map((view) => {
        backend.incRef(view.dataId);
        return tf.engine().makeTensorFromTensorInfo(view, backend);
      });
      for (const value of values) if (value.made) value.free(backend);
      return made;
    },
    dispose: () => {
      disposed = true;
      dispose();
    },
  };
}

function checkLike(views: readonly View[], tensors: readonly Tensor[]): void {
  if (views.length !== tensors.length) {
    throw new Error(`The step was recorded with ${views.length} tensors, not with ${tensors.length}.`);
  }
  for (const [i, { shape, dtype }] of views.entries()) {
    const tensor = tensors[i]!;
    if (tensor.dtype === dtype && formatShape(tensor.shape) === formatShape(shape)) continue;
    throw new Error(
      `Input ${i} of the step was recorded as ${dtype} ${formatShape(shape)}, not as ${tensor.dtype} ${formatShape(tensor.shape)}.`,
    );
  }
}
