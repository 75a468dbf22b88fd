import type { TensorInfo } from "@tensorflow/tfjs";
import { type Tensor, tf } from "./tf.js";

/** Name under which JavaScript on a tensor's values runs as a kernel, which `tidy`, the tape and a recorder of kernels then see. */
const kernelName = "PortableOperation";

/** Values of the inputs to values of the output. The inputs are not its own to write to. */
export type Computation = (inputs: readonly Float32Array[]) => Float32Array;

interface ValueStore {
  readSync(dataId: object): Float32Array;
  write(values: Float32Array, shape: readonly number[], dtype: "float32"): object;
}

/**
 * Runs a computation in JavaScript (in Float64, if it wants to) as one operation of the wasm or cpu backend.
 *
 * Reading a tensor outside a kernel stops a step from being recorded, since what was read would be repeated at every replay; a kernel is run again. On
 * these two backends values stand in this process's memory, so nothing waits. The result has no gradient: call it within a custom gradient.
 *
 * @param compute the computation.
 * @param inputs float32 tensors.
 * @param shape of the result.
 */
export function executePortable(compute: Computation, inputs: readonly Tensor[], shape: readonly number[]): Tensor {
  const named = Object.fromEntries(inputs.map((input, i) => [String(i), input]));
  return tf.engine().runKernel(kernelName, named, { compute, shape } as unknown as tf.NamedAttrMap) as Tensor;
}

// Not at the first call: a recorder watches the kernels that there are when it starts.
for (const backendName of ["wasm", "cpu"]) {
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const store = backend as unknown as ValueStore;
      const { compute, shape } = attrs as unknown as { compute: Computation; shape: number[] };
      const values = Object.values(inputs as Record<string, TensorInfo>).map(({ dataId }) => store.readSync(dataId));
      return { dataId: store.write(compute(values), shape, "float32"), shape, dtype: "float32" };
    },
  });
}
