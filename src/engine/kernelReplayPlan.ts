import type { KernelBackend, KernelFunc, TensorInfo } from "@tensorflow/tfjs";
import { type Tensor, tf } from "./tf.js";

/** What a kernel is given: tensors by name, or a list of them. */
export type KernelInputs = Parameters<KernelFunc>[0]["inputs"];
export type KernelAttributes = Parameters<KernelFunc>[0]["attrs"];

/** Some data of a step, in every shape and dtype under which its kernels see them. */
export class Value {
  readonly #views: View[] = [];
  #owner: Tensor | undefined;

  /** @param origin only data that a call of the replay makes have to be freed by it. */
  constructor(readonly origin: "input" | "constant" | "made") {}

  get made(): boolean {
    return this.origin === "made";
  }

  /** The data under a shape and dtype. */
  view({ dataId, shape, dtype }: TensorInfo): View {
    const known = this.#views.find((view) => view.dtype === dtype && `${view.shape}` === `${shape}`);
    if (known) return known;
    const view: View = { value: this, dataId, shape: [...shape], dtype };
    this.#views.push(view);
    return view;
  }

  /** Sets what the data are from now on. Most kernels return a mere description of them, some a tensor that has to be disposed. */
  place(info: TensorInfo): void {
    for (const view of this.#views) view.dataId = info.dataId;
    if (this.made) this.#owner = info instanceof tf.Tensor ? info : undefined;
  }

  /** A tensor of the data, for a draw that depends on them; the enclosing scope disposes it. */
  tensor(view: View, backend: KernelBackend): Tensor {
    const engine = tf.engine();
    // The engine counts data by their tensors, so data that had one are freed with one.
    if (this.made) this.#owner ??= tf.keep(engine.makeTensorFromTensorInfo(view, backend));
    backend.incRef(view.dataId);
    return engine.makeTensorFromTensorInfo(view, backend);
  }

  free(backend: KernelBackend): void {
    discard(this.#owner ?? this.#views[0]!, backend);
  }
}

/** The very object that kernels are handed at every replay; its `dataId` is that of the latest. */
export interface View extends TensorInfo {
  readonly value: Value;
}

/** One kernel of a step, or a draw. */
export interface Call {
  readonly kernel: KernelFunc;
  readonly inputs: KernelInputs;
  readonly attributes: KernelAttributes;
  readonly reads: readonly Value[];
  /** One for each output; none for an output that nobody reads or that shares the data of an input. */
  readonly writes: readonly (Value | undefined)[];
}

/** A call and the values that nothing reads after it. */
export interface PlannedCall extends Call {
  readonly frees: readonly Value[];
}

/** The calls that the results depend on, each with what is to be freed after it. */
export function plan(calls: readonly Call[], results: readonly Value[]): PlannedCall[] {
  const needed = new Set(results);
  const planned: PlannedCall[] = [];
  for (const call of [...calls].reverse()) {
    const writes = call.writes.map((value) => (value && needed.has(value) ? value : undefined));
    if (!writes.some(Boolean)) continue;
    const last = [...new Set(call.reads)].filter((value) => !needed.has(value));
    for (const value of last) needed.add(value);
    planned.push({ ...call, writes, frees: last.filter(({ made }) => made) });
  }
  return planned.reverse();
}

/** Runs the calls; what is left are the results. */
export function run(calls: readonly PlannedCall[], backend: KernelBackend): void {
  for (const { kernel, inputs, attributes, writes, frees } of calls) {
    const outputs = kernel({ inputs, attrs: attributes, backend });
    if (Array.isArray(outputs)) for (let i = 0; i < outputs.length; i++) store(writes[i], outputs[i]!, backend);
    else store(writes[0], outputs, backend);
    for (const value of frees) value.free(backend);
  }
}

function store(value: Value | undefined, info: TensorInfo, backend: KernelBackend): void {
  if (value) value.place(info);
  else discard(info, backend);
}

function discard(info: TensorInfo, backend: KernelBackend): void {
  if (info instanceof tf.Tensor) info.dispose();
  else backend.disposeData(info.dataId);
}
