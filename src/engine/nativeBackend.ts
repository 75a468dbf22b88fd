import { type Tensor, tf } from "./tf.js";

/** What identifies a tensor's numbers in its backend; tensors that share numbers share it. */
export type DataId = Tensor["dataId"];

/** An attribute of an operation as the addon takes it. */
export interface NativeAttribute {
  readonly name: string;
  /** One of the binding's `TF_ATTR_…`. */
  readonly type: number;
  readonly value: unknown;
}

/** The numbers of one output as the addon returns them. */
interface NativeOutput {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** What the library uses of the addon. */
export interface NativeBinding {
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_SHAPE: number;
  loadSavedModel(folder: string, tags: string): number;
  runSavedModel(session: number, inputs: readonly number[], inputNames: string, outputNames: string): NativeOutput[];
  deleteSavedModel(session: number): void;
}

/** What the library uses of tfjs-node's backend. */
export interface NativeBackend {
  readonly binding: NativeBinding;
  readonly tensorMap: { get(id: DataId): { readonly shape: readonly number[]; readonly dtype: number } | undefined };
  executeSingleOutput(name: string, attributes: readonly NativeAttribute[], inputs: readonly Tensor[]): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly Tensor[],
    count: number,
  ): Tensor[];
  getInputTensorIds(inputs: readonly { readonly dataId: DataId }[]): number[];
  createOutputTensor(output: NativeOutput): Tensor;
  read(id: DataId): Promise<ArrayLike<number>>;
  readSync(id: DataId): ArrayLike<number>;
  write(values: ArrayLike<number>, shape: readonly number[], dtype: string): DataId;
  incRef(id: DataId): void;
  disposeData(id: DataId): boolean;
}

/** The running native backend; call it only where `isNative()`. */
export function nativeBackend(): NativeBackend {
  return tf.backend() as unknown as NativeBackend;
}
