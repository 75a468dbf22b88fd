import { type CompiledGraph, checkOutputs, otherKeys } from "./compiledGraph.js";
import { CompileError } from "./compileError.js";
import { recordKernels } from "./kernelReplay.js";
import type { Key } from "./random.js";
import { type Flattened, flatten } from "./structure.js";
import { type Tensor, tf } from "./tf.js";

/**
 * Records the kernels of a step for a backend without graphs, wasm or cpu, where a replay saves what tfjs does around them.
 *
 * The replay is compared with the step itself under other keys: what differs was frozen, so the step is refused.
 */
export function compileKernels(step: (inputs: unknown) => unknown, inputs: Flattened<Key>): CompiledGraph {
  let outputs: Flattened<Key> | undefined;
  const run = (tensors: readonly Tensor[], keys: readonly Key[]): readonly Tensor[] => {
    outputs = flatten<Key>(step(inputs.rebuild(tensors, keys)), "the step's output");
    return outputs.tensors;
  };
  const recorded = recordKernels(run, { inputs: inputs.tensors, keys: inputs.keys });
  tf.dispose(recorded.outputs);
  const changed = otherKeys(inputs.keys);
  try {
    checkOutputs(outputs as Flattened<Key>);
    if (!tf.tidy(() => sameBits(recorded.replay(inputs.tensors, changed), run(inputs.tensors, changed)))) {
      throw new CompileError(
        "two runs of the step on the same input differ: it holds a number of JavaScript that changes from run to run; " +
          "give the step what changes as a tensor, and let it draw from the keys that it is given.",
      );
    }
  } catch (error) {
    recorded.dispose();
    throw error;
  }
  return {
    run: ({ tensors, keys }) => (outputs as Flattened<Key>).rebuild(recorded.replay(tensors, keys), []),
    dispose: () => recorded.dispose(),
  };
}

function sameBits(a: readonly Tensor[], b: readonly Tensor[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((tensor, i) => {
    const [values, other] = [tensor.dataSync(), (b[i] as Tensor).dataSync()];
    return values.length === other.length && values.every((value, j) => Object.is(value, other[j]));
  });
}
