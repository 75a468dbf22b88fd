import type { Graph } from "./graph.js";
import { type DataId, type NativeBackend, nativeBackend } from "./nativeBackend.js";
import { type SessionNames, throughSavedModel } from "./savedModel.js";
import type { Tensor } from "./tf.js";

/** Frees the sessions of those who forgot to. */
const forgotten = new FinalizationRegistry((free: () => void) => free());

/** A graph loaded into libtensorflow. */
export class Session {
  readonly #backend: NativeBackend = nativeBackend();
  readonly #session: number;
  readonly #names: SessionNames;
  #released = false;

  /** @throws Error if libtensorflow refuses the graph. */
  constructor(graph: Graph, functions: readonly Graph[]) {
    const { binding } = this.#backend;
    const { loaded, names } = throughSavedModel(graph, functions, (folder) => binding.loadSavedModel(folder, "serve"));
    this.#session = loaded;
    this.#names = names;
    forgotten.register(this, () => binding.deleteSavedModel(loaded), this);
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
    this.#backend.binding.deleteSavedModel(this.#session);
  }
}
