import type { KernelFunc, TensorInfo } from "@tensorflow/tfjs";
import { tf } from "./tf.js";

/** Kernels over complex numbers or strings: the wasm backend has no such tensors. */
const impossible = /Complex|FFT|^Real$|^Imag$|String|Ragged|^Draw$/;

interface ValueStore {
  readSync(dataId: object): Float32Array | Int32Array | Uint8Array;
  makeTensorInfo(shape: number[], dtype: string, values: ArrayLike<number>): TensorInfo;
  disposeIntermediateTensorInfo(info: TensorInfo): void;
}

interface WasmStore {
  readSync(dataId: object): Float32Array | Int32Array | Uint8Array;
  write(values: ArrayLike<number>, shape: number[], dtype: string): object;
}

/** wasm's log1p is log(1 + x), which is 0 for |x| < 1e-8 and wrong by a fifth at 1e-7. */
const inaccurate = ["Log1p"];

/**
 * Registers for wasm every real-valued kernel that the wasm backend lacks and the JavaScript one has (for instance `UnsortedSegmentSum`,
 * without which `gather` has no gradient), and replaces those that are inaccurate: the inputs are copied to the JavaScript backend, the kernel runs there, the outputs are copied
 * back. Slow but right.
 */
export function registerMissingKernels(): void {
  for (const kernelName of inaccurate) if (tf.getKernel(kernelName, "wasm")) tf.unregisterKernel(kernelName, "wasm");
  const present = new Set(tf.getKernelsForBackend("wasm").map((kernel) => kernel.kernelName));
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend("cpu")) {
    if (present.has(kernelName) || impossible.test(kernelName)) continue;
    tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc: onCpu(kernelFunc) });
  }
}

function onCpu(kernel: KernelFunc): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const cpu = tf.engine().findBackend("cpu") as unknown as ValueStore;
    const wasm = backend as WasmStore;
    const copyIn = (info: TensorInfo): TensorInfo =>
      cpu.makeTensorInfo(info.shape, info.dtype, wasm.readSync(info.dataId).slice());
    const given = Object.entries(inputs as Record<string, TensorInfo | TensorInfo[]>);
    const named = given.map(
      ([name, input]) => [name, Array.isArray(input) ? input.map(copyIn) : copyIn(input)] as const,
    );
    const copied = Array.isArray(inputs) ? named.map(([, input]) => input) : Object.fromEntries(named);
    const result = kernel({ inputs: copied as Parameters<KernelFunc>[0]["inputs"], attrs, backend: cpu });
    const copyOut = (info: TensorInfo): TensorInfo => ({
      dataId: wasm.write(cpu.readSync(info.dataId).slice(), info.shape, info.dtype),
      shape: info.shape,
      dtype: info.dtype,
    });
    const outputs = Array.isArray(result) ? result.map(copyOut) : copyOut(result);
    for (const info of [...named.flatMap(([, input]) => input), ...[result].flat()])
      cpu.disposeIntermediateTensorInfo(info);
    return outputs;
  };
}
