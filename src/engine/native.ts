import { type Tensor, tf } from "./tf.js";

/** A dtype, given by its tfjs name. */
type DataType = "float32" | "int32" | "bool";

/** Value of an attribute of a TensorFlow operation; a number or a list of numbers is an `int` attribute unless it is said to be a `float`. */
export type Attribute =
  | boolean
  | number
  | string
  | readonly number[]
  | { readonly float: number | readonly number[] }
  | { readonly shape: readonly number[] }
  | { readonly type: DataType };

interface NativeBackend {
  readonly binding: Readonly<
    Record<
      `TF_ATTR_${"TYPE" | "BOOL" | "INT" | "FLOAT" | "STRING" | "SHAPE"}` | "TF_FLOAT" | "TF_INT32" | "TF_BOOL",
      number
    >
  >;
  executeSingleOutput(name: string, attributes: readonly object[], inputs: readonly Tensor[]): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: readonly object[],
    inputs: readonly Tensor[],
    outputs: number,
  ): Tensor[];
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
  return run({ operation, attributes }, inputs) as Tensor;
}

/**
 * As {@link executeNative}, for an operation with several outputs.
 *
 * @param outputs how many outputs the operation has.
 * @returns the outputs, in order.
 */
export function executeNativeMultiple(
  operation: string,
  attributes: Readonly<Record<string, Attribute>>,
  inputs: readonly Tensor[],
  outputs: number,
): Tensor[] {
  return run({ operation, attributes, outputs }, inputs) as Tensor[];
}

/** What the kernel is told; without `outputs` the operation has one. */
interface Call {
  readonly operation: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
}

function run(call: Call, inputs: readonly Tensor[]): Tensor | Tensor[] {
  if (!tf.getKernel(kernelName, "tensorflow")) registerNativeOperation();
  const named = Object.fromEntries(inputs.map((input, i) => [String(i), input]));
  return tf.engine().runKernel(kernelName, named, call as unknown as tf.NamedAttrMap) as Tensor | Tensor[];
}

function registerNativeOperation(): void {
  tf.registerKernel({
    kernelName,
    backendName: "tensorflow",
    kernelFunc: ({ inputs, attrs, backend }) => {
      const native = backend as NativeBackend;
      const { operation, attributes, outputs } = attrs as unknown as Call;
      const list = Object.entries(attributes).map(([name, value]) => ({ name, ...encode(native.binding, value) }));
      const values = Object.values(inputs) as Tensor[];
      return outputs === undefined
        ? native.executeSingleOutput(operation, list, values)
        : native.executeMultipleOutputs(operation, list, values, outputs);
    },
  });
}

function encode(binding: NativeBackend["binding"], value: Attribute): { type: number; value: unknown } {
  if (typeof value === "boolean") return { type: binding.TF_ATTR_BOOL, value };
  if (typeof value === "string") return { type: binding.TF_ATTR_STRING, value };
  if (typeof value === "number" || isList(value)) return { type: binding.TF_ATTR_INT, value };
  if ("float" in value) return { type: binding.TF_ATTR_FLOAT, value: value.float };
  if ("shape" in value) return { type: binding.TF_ATTR_SHAPE, value: value.shape };
  const dtypes = { float32: binding.TF_FLOAT, int32: binding.TF_INT32, bool: binding.TF_BOOL };
  return { type: binding.TF_ATTR_TYPE, value: dtypes[value.type] };
}

function isList(value: Attribute): value is readonly number[] {
  return Array.isArray(value);
}
