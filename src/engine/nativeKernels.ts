import { nativeBackend } from "./nativeBackend.js";
import { type Tensor, tf } from "./tf.js";

/**
 * Replaces kernels of tfjs-node that read tensors in JavaScript where libtensorflow does not need it: a read stops a compiled step, and
 * waits for the numbers in any other.
 */
export function replaceReadingKernels(): void {
  tf.unregisterKernel("GatherV2", "tensorflow");
  tf.registerKernel({
    kernelName: "GatherV2",
    backendName: "tensorflow",
    kernelFunc: ({ inputs, attrs }) => {
      // tfjs-node checks every index in JavaScript; the operation checks them itself.
      const { x, indices } = inputs as { x: Tensor; indices: Tensor };
      const { axis, batchDims } = attrs as { axis: number; batchDims: number };
      const backend = nativeBackend();
      const attributes = [{ name: "batch_dims", type: backend.binding.TF_ATTR_INT, value: batchDims }];
      const at = tf.scalar(axis, "int32");
      try {
        return backend.executeSingleOutput("GatherV2", attributes, [x, indices, at]);
      } finally {
        at.dispose();
      }
    },
  });
}
