import { type Tensor, tf } from "./tf.js";

/** Value of an attribute of a TensorFlow operation: a flag, a number, or a dtype given by its tfjs name. */
export type Attribute = boolean | number | { readonly type: "float32" | "int32" | "bool" };

interface NativeBackend {
  readonly binding: Readonly<
    Record<"TF_ATTR_TYPE" | "TF_ATTR_BOOL" | "TF_ATTR_INT" | "TF_FLOAT" | "TF_INT32" | "TF_BOOL", number>
  >;
  executeSingleOutput(name: string, attributes: readonly object[], inputs: readonly Tensor[]): Tensor;
}

/** Name under which any operation of libtensorflow can be run as a kernel of tfjs, which `tidy` and the tape then see. */
const kernelName = "NativeOperation";

/** Whether tensor operations run on libtensorflow, so that {@link executeNative} may be called. */
export function isNative(): boolean {
  return tf.getBackend() === "tensorflow";
}

/**
 * Runs one operation of libtensorflow that tfjs does not offer; the result is a tensor of the enclosing `tidy`.
 *
 * The result has no gradient: call it within a custom gradient.
 *
 * @param operation name of the TensorFlow operation, for instance `"Cholesky"`.
 * @param attributes the operation's attributes.
 * @param inputs the operation's inputs, in order.
 */
export function executeNative(
  operation: string,
  attributes: Readonly<Record<string, Attribute>>,
  inputs: readonly Tensor[],
): Tensor {
  if (!tf.getKernel(kernelName, "tensorflow")) registerNativeOperation();
  const named = Object.fromEntries(inputs.map((input, i) => [String(i), input]));
  return tf.engine().runKernel(kernelName, named, { operation, attributes: { ...attributes } }) as Tensor;
}

function registerNativeOperation(): void {
  tf.registerKernel({
    kernelName,
    backendName: "tensorflow",
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { binding } = backend as NativeBackend;
      const { operation, attributes } = attrs as unknown as {
        operation: string;
        attributes: Record<string, Attribute>;
      };
      const list = Object.entries(attributes).map(([name, value]) => encode(binding, name, value));
      return (backend as NativeBackend).executeSingleOutput(operation, list, Object.values(inputs) as Tensor[]);
    },
  });
}

function encode(binding: NativeBackend["binding"], name: string, value: Attribute): object {
  if (typeof value === "boolean") return { name, type: binding.TF_ATTR_BOOL, value };
  if (typeof value === "number") return { name, type: binding.TF_ATTR_INT, value };
  const dtypes = { float32: binding.TF_FLOAT, int32: binding.TF_INT32, bool: binding.TF_BOOL };
  return { name, type: binding.TF_ATTR_TYPE, value: dtypes[value.type] };
}
