import type { KernelBackend, KernelFunc, TensorInfo } from "@tensorflow/tfjs";
import { CompileError } from "./compileError.js";
import { inForce } from "./inForce.js";
import { RecordingGuard } from "./kernelReplayGuard.js";
import { type Call, type KernelInputs, Value, type View } from "./kernelReplayPlan.js";
import { type KeyTrace, type Redraw, withKeyTrace } from "./keyTrace.js";
import { KeyTree } from "./keyTree.js";
import type { Key } from "./random.js";
import { type Tensor, tf } from "./tf.js";
import type { Words } from "./threefry.js";

/** Kernels whose output's shape depends on data. */
const dataDependentShape = /^(Unique|Where|NonMaxSuppression|SparseFillEmptyRows|SparseReshape|Ragged|String)/;

let recordings = 0;

/** Whether a step's kernels are being recorded. A replay would hide its own from that recording: run the step itself. */
export function isRecordingKernels(): boolean {
  return recordings > 0;
}

/**
 * Follows one run of a step: its kernels, its draws, and which of its tensors may differ from call to call.
 *
 * Tensors are told apart by their data, which a reshaped or cloned tensor shares; so those need no kernel at a replay.
 */
export class KernelRecorder implements KeyTrace {
  readonly calls: Call[] = [];
  /** Clones that keep alive what is the same at every call. */
  readonly constants: Tensor[] = [];
  readonly #values = new Map<object, Value>();
  readonly #tree = new KeyTree();
  readonly #guard = new RecordingGuard((dataId) => this.#depth === 0 && this.varies({ dataId }));
  #depth = 0;
  #seeds = new Int32Array(0);

  constructor(
    private readonly backend: KernelBackend,
    keys: readonly Key[],
  ) {
    for (const key of keys) this.#tree.addRoot(key);
  }

  /** Declares a tensor an input of the step. */
  input(tensor: Tensor): View {
    const value = new Value("input");
    this.#values.set(tensor.dataId, value);
    return value.view(tensor);
  }

  /** Runs the step while every kernel of the backend reports here. */
  watch<T>(step: () => T): T {
    const kernels = tf.getKernelsForBackend(tf.getBackend());
    const originals = kernels.map(({ kernelFunc }) => kernelFunc);
    for (const kernel of kernels) kernel.kernelFunc = this.reporting(kernel.kernelName, kernel.kernelFunc);
    recordings++;
    const undo = (): void => {
      recordings--;
      for (const [i, kernel] of kernels.entries()) kernel.kernelFunc = originals[i]!;
    };
    return inForce(undo, () => this.#guard.watch(() => withKeyTrace(this, step)));
  }

  /** How a replay sees the tensor. What comes neither of inputs nor of draws is a constant. */
  view(info: TensorInfo): View {
    let value = this.#values.get(info.dataId);
    if (!value) {
      value = new Value("constant");
      this.#values.set(info.dataId, value);
      this.backend.incRef(info.dataId);
      this.constants.push(tf.keep(tf.engine().makeTensorFromTensorInfo(info, this.backend)));
    }
    return value.view(info);
  }

  /** Gives the draws the seeds that follow from other keys. */
  rekey(roots: readonly Words[]): void {
    if (this.#seeds.length === 0) this.#seeds = new Int32Array(2 * this.#tree.size);
    this.#tree.seeds(roots, this.#seeds);
  }

  derived(parent: object, child: object, counter: Words): void {
    this.#tree.derive(parent, child, counter);
  }

  seeded(key: object, tensor: Tensor): void {
    this.drawn(key, tensor, ({ words }) => tf.tensor1d(Int32Array.from(words), "int32"), []);
  }

  drawn(key: object, tensor: Tensor, redraw: Redraw, inputs: readonly Tensor[]): void {
    for (const { dataId } of inputs) this.#guard.permit(dataId);
    const keyed = this.#tree.knows(key);
    if (!keyed && !inputs.some((input) => this.varies(input))) return;
    const slot = keyed ? this.#tree.slot(key) : -1;
    const words = (): Words =>
      keyed ? [this.#seeds[2 * slot]! >>> 0, this.#seeds[2 * slot + 1]! >>> 0] : (key as Key).words;
    const views = inputs.map((input) => this.view(input));
    const kernel: KernelFunc = () =>
      tf.tidy(() =>
        redraw(
          { words: words() },
          views.map((view) => view.value.tensor(view, this.backend)),
        ),
      );
    const value = new Value("made");
    this.#values.set(tensor.dataId, value);
    const reads = views.map((view) => view.value);
    this.calls.push({ kernel, inputs: {}, attributes: undefined, reads, writes: [value] });
  }

  /** Whether the data may differ from call to call. */
  private varies({ dataId }: Pick<TensorInfo, "dataId">): boolean {
    const value = this.#values.get(dataId);
    return value !== undefined && value.origin !== "constant";
  }

  private reporting(name: string, kernel: KernelFunc): KernelFunc {
    return (params) => {
      // What a kernel calls belongs to it.
      if (this.#depth > 0) return kernel(params);
      this.checkKernel(name, params.inputs);
      this.#depth++;
      try {
        const result = kernel(params);
        this.record(name, kernel, params, [result].flat());
        return result;
      } finally {
        this.#depth--;
      }
    };
  }

  private checkKernel(name: string, inputs: KernelInputs): void {
    this.#guard.check();
    const given = tensorsOf(inputs);
    if (given.some((input) => input instanceof tf.Variable)) {
      throw new CompileError("the step uses a tf.Variable, whose value would be frozen; give it as an input.");
    }
    if (dataDependentShape.test(name) && given.some((input) => this.varies(input))) {
      throw new CompileError(`the shape of what ${name} returns depends on values.`);
    }
  }

  private record(
    name: string,
    kernel: KernelFunc,
    { inputs, attrs }: Parameters<KernelFunc>[0],
    outputs: readonly TensorInfo[],
  ): void {
    const given = tensorsOf(inputs);
    // Of constants alone comes a constant: whatever uses it will keep it.
    if (!given.some((input) => this.varies(input))) return;
    if (isCopy(name, given[0]!, outputs[0]!)) {
      this.#values.set(outputs[0]!.dataId, this.view(given[0]!).value);
      return;
    }
    const shared = outputs.map(({ dataId }) => this.#values.has(dataId));
    if (shared.every(Boolean)) return; // the same data in another shape
    const views: View[] = [];
    const seen = mapInputs(inputs, (info) => views[views.push(this.view(info)) - 1]!);
    const writes = outputs.map(({ dataId }, i) => {
      if (shared[i]) return undefined;
      const value = new Value("made");
      this.#values.set(dataId, value);
      return value;
    });
    this.calls.push({ kernel, inputs: seen, attributes: attrs, reads: views.map(({ value }) => value), writes });
  }
}

/** Whether a kernel's output has the bits of its input: wasm copies where the JavaScript backend shares. */
function isCopy(name: string, input: TensorInfo, output: TensorInfo): boolean {
  return name === "Identity" || (name === "Cast" && input.dtype === output.dtype);
}

function tensorsOf(inputs: KernelInputs): TensorInfo[] {
  return Object.values(inputs).filter((input): input is TensorInfo => input != null);
}

function mapInputs(inputs: KernelInputs, change: (info: TensorInfo) => TensorInfo): KernelInputs {
  const entries = Object.entries(inputs).map(([name, info]) => [name, info ? change(info) : info] as const);
  // A list of tensors passes as a record of them, and its kernel wants it to be a list.
  return Array.isArray(inputs)
    ? (entries.map(([, info]) => info) as unknown as KernelInputs)
    : Object.fromEntries(entries);
}
