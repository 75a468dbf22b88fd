import type { KernelBackend } from "@tensorflow/tfjs";
import { CompileError } from "./compileError.js";
import type { Graph } from "./graph.js";
import { type DataId, type NativeBackend, nativeBackend } from "./nativeBackend.js";
import { type SessionNames, throughSavedModel } from "./savedModel.js";
import { type Tensor, tf } from "./tf.js";

/** Frees the sessions of those who forgot to. */
const forgotten = new FinalizationRegistry((free: () => void) => free());

/** A graph loaded into libtensorflow, and the tensors that it keeps alive. */
export class Session {
  readonly #backend: NativeBackend = nativeBackend();
  readonly #session: number;
  readonly #names: SessionNames;
  readonly #free: () => void;
  #released = false;

  /**
   * @param captured tensors that may be fed at every run, whatever becomes of them elsewhere.
   * @throws CompileError if libtensorflow refuses the graph, or it cannot be handed over.
   */
  constructor(graph: Graph, functions: readonly Graph[], captured: readonly { readonly dataId: DataId }[]) {
    const backend = this.#backend;
    const { loaded, names } = load(backend, graph, functions);
    this.#session = loaded;
    this.#names = names;
    for (const { dataId } of captured) backend.incRef(dataId);
    this.#free = () => {
      backend.binding.deleteSavedModel(loaded);
      for (const { dataId } of captured) letGo(backend, dataId);
    };
    forgotten.register(this, this.#free, this);
  }

  /** Runs the graph once; the outputs are new tensors of the enclosing `tidy`. */
  run(inputs: readonly { readonly dataId: DataId }[]): Tensor[] {
    const backend = this.#backend;
    const ids = backend.getInputTensorIds(inputs);
    const { inputs: feeds, outputs } = this.#names;
    return backend.binding
      .runSavedModel(this.#session, ids, feeds, outputs)
      .map((output) => backend.createOutputTensor(output));
  }

  /** Frees the session; it cannot run any more. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    forgotten.unregister(this);
    this.#free();
  }
}

/** Frees data unless tensors have them still, and has tfjs count them no more. */
function letGo(backend: NativeBackend, id: DataId): void {
  if (backend.disposeData(id)) tf.engine().removeDataId(id, backend as unknown as KernelBackend);
}

function load(
  { binding }: NativeBackend,
  graph: Graph,
  functions: readonly Graph[],
): ReturnType<typeof throughSavedModel<number>> {
  try {
    return throughSavedModel(graph, functions, (folder) => binding.loadSavedModel(folder, "serve"));
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).trim().split("\n");
    throw new CompileError(`the graph of the step cannot be handed to libtensorflow: ${reason}`);
  }
}
