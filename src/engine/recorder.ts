import { callSite, stack } from "./callSite.js";
import { CompileError } from "./compileError.js";
import { philoxState, philoxStates, stateWords } from "./fusedDraws.js";
import { dataTypes, Graph, type Reference } from "./graph.js";
import { inForce } from "./inForce.js";
import { type KeyTrace, withKeyTrace } from "./keyTrace.js";
import { KeyTree } from "./keyTree.js";
import { type DataId, type NativeAttribute, type NativeBackend, nativeBackend } from "./nativeBackend.js";
import type { Key } from "./random.js";
import { addOperation } from "./recordOperation.js";
import { type Tensor, tf } from "./tf.js";
import type { Words } from "./threefry.js";

/** Tensors from outside the step up to this size become constants of the graph, which can fold them; larger ones are fed. */
const largestConstant = 256;

/** A tensor that the step takes from outside itself without its being an input. */
export interface Capture {
  readonly id: DataId;
  readonly reference: Reference;
}

/** A body as it is recorded: the operations it runs, what its tensors are called in the graph, and its keys. */
export class Recording implements KeyTrace {
  readonly graph: Graph;
  readonly keys: KeyTree = new KeyTree();
  /** Of a loop's body: tensors of the bodies around it. Of the outermost: tensors of the world outside. */
  readonly captures: Capture[] = [];
  /** Where every constant was made, to name the line if it turns out to change. */
  readonly origins: string[] = [];
  readonly #references = new Map<DataId, Reference>();
  readonly #seeds: Reference[] = [];
  readonly #loops: { readonly turns: number; readonly size: number; readonly reference: Reference }[] = [];

  constructor(
    name: string,
    readonly functions: Graph[],
    /** Whether XLA will compile the graph, which then holds draws in a form that XLA can. */
    readonly fused: boolean,
    readonly parent?: Recording | undefined,
  ) {
    this.graph = new Graph(name);
  }

  /** Words of a seed as the graph is fed with it. */
  get seedWords(): number {
    return this.fused ? stateWords : 2;
  }

  /** Declares a tensor an argument of the body. */
  addInput(tensor: Tensor): void {
    this.#references.set(tensor.dataId, this.graph.parameter(typeOf(tensor.dataId), tensor.shape));
  }

  /** Says what a tensor is called in this body. */
  name(tensor: Tensor, reference: Reference): void {
    this.#references.set(tensor.dataId, reference);
  }

  /** What a tensor is called here: an output of an operation, an argument, a capture, or a new constant. */
  reference(input: { readonly dataId: DataId }): Reference {
    const id = input.dataId;
    const known = this.#references.get(id);
    if (known) return known;
    const reference = this.#madeOutside(id) ? this.#capture(id, input) : this.#constant(id);
    this.#references.set(id, reference);
    return reference;
  }

  /** Whether the tensor comes of this body's arguments and operations. */
  has(id: DataId): boolean {
    return this.#references.has(id) || (this.parent?.has(id) ?? false);
  }

  /** Whether a key comes from one that this step, or one around it, is given. */
  knows(key: object): boolean {
    return this.keys.knows(key) || (this.parent?.knows(key) ?? false);
  }

  derived(parent: object, child: object, counter: Words): void {
    this.keys.derive(parent, child, counter);
    this.parent?.derived(parent, child, counter);
  }

  seeded(key: object, tensor: Tensor): void {
    const { words } = key as Key;
    const reference = this.seedOf(key) ?? (this.fused && this.#constantState(words));
    if (reference) this.#references.set(tensor.dataId, reference);
  }

  /** A seed that JavaScript turned into numbers is frozen, whatever it draws. */
  opened(key: object, by: string): void {
    if (!this.knows(key)) return;
    throw new CompileError(
      `${by} makes numbers of JavaScript from a key of the step${callSite()}, which every later call would repeat; use randomPermutation, which makes a tensor, or draw before the step.`,
    );
  }

  #constantState([first, second]: Words): Reference {
    return this.graph.constant(dataTypes.int32, [stateWords], philoxState(first, second));
  }

  /** The seed of a key that comes from a key of the step; nothing where the key is a constant of the program. */
  seedOf(key: object): Reference | undefined {
    if (!this.keys.knows(key)) {
      const outer = this.parent?.seedOf(key);
      return outer && this.#captureReference(outer, [this.seedWords]);
    }
    const slot = this.keys.slot(key);
    this.#seeds[slot] ??= unboundReference();
    return this.#seeds[slot];
  }

  /** The seeds of a loop, `[turns, seeds a turn, words of a seed]`, given the keys of each turn. */
  loopSeeds(keys: readonly (readonly Key[])[], tree: KeyTree): Reference {
    const shape = [keys.length, tree.size, this.seedWords];
    const foreign = keys.flat().filter((key) => !this.keys.knows(key));
    const { parent } = this;
    if (foreign.length < keys.flat().length) {
      if (foreign.some((key) => parent?.knows(key))) {
        throw new CompileError(
          "a loop within a loop has keys of the turn around it and keys from further out; derive them all from one key.",
        );
      }
      for (const key of foreign) this.keys.addConstant(key);
    } else if (foreign.length > 0) {
      if (parent && foreign.some((key) => parent.knows(key))) {
        return this.#captureReference(parent.loopSeeds(keys, tree), shape);
      }
      const words = new Int32Array(2 * keys.length * tree.size);
      for (const [i, turn] of keys.entries()) {
        tree.seeds(
          turn.map((key): Words => key.words),
          words,
          i * tree.size,
        );
      }
      return this.graph.constant(dataTypes.int32, shape, this.fused ? philoxStates(words) : words);
    }
    const loop = this.keys.addLoop(keys, tree);
    this.#loops[loop] = { turns: keys.length, size: tree.size, reference: unboundReference() };
    return this.#loops[loop].reference;
  }

  /** Says where the seeds stand, `[seeds, seedWords]`; call it once, when the body is complete. */
  bindSeeds(seeds: Reference): void {
    const { graph } = this;
    const range = (start: number, count: number): Reference =>
      graph.one("Slice", [seeds, graph.integers([start, 0]), graph.integers([count, this.seedWords])]);
    if (this.#seeds.length > 0) {
      const own = this.#loops.length > 0 ? range(0, this.#seeds.length) : seeds;
      const unpacked = graph.add("Unpack", [own], { num: { i: this.#seeds.length }, axis: { i: 0 } });
      for (const [i, slot] of this.#seeds.entries()) Object.assign(slot, unpacked[i]);
    }
    this.#loops.forEach(({ turns, size, reference }, i) => {
      const part = range(this.keys.loopOffset(i), turns * size);
      Object.assign(reference, graph.reshape(part, [turns, size, this.seedWords]));
    });
  }

  #madeOutside(id: DataId): boolean {
    return this.parent ? this.parent.has(id) || this.parent.#madeOutside(id) : !madeInside.has(id);
  }

  #capture(id: DataId, input: object): Reference {
    if (!this.parent && madeUnseen.has(id)) {
      throw new CompileError(
        `the step uses a tensor of a loop's body outside of the loop, or of another model${callSite()}, which would be frozen; ` +
          "return it from the body, or give it to the step as an input.",
      );
    }
    if (input instanceof tf.Variable) {
      throw new CompileError("the step uses a tf.Variable, whose value would be frozen; pass its value as an input.");
    }
    if (this.parent) return this.#captureReference(this.parent.reference(input as Tensor), shapeOf(id), id);
    const { shape } = nativeBackend().tensorMap.get(id)!;
    if (shape.reduce((product, size) => product * size, 1) <= largestConstant) return this.#constant(id);
    const reference = this.graph.parameter(typeOf(id), shape);
    this.captures.push({ id, reference });
    return reference;
  }

  /** Hands a tensor of the body around on to this one as an argument. */
  #captureReference(outer: Reference, shape: readonly number[], id: DataId = {}): Reference {
    const known = this.captures.find(({ reference }) => reference === outer);
    if (known) return this.#references.get(known.id) as Reference;
    const inner = this.graph.parameter(outer.dtype, shape);
    this.captures.push({ id, reference: outer });
    this.#references.set(id, inner);
    return inner;
  }

  #constant(id: DataId): Reference {
    const backend = nativeBackend();
    const { shape, dtype } = backend.tensorMap.get(id)!;
    if (dtype === dataTypes.string || dtype === dataTypes.complex64) {
      throw new CompileError(
        `the step uses a tensor of strings or of complex numbers${callSite()}, which it cannot hold.`,
      );
    }
    this.origins[this.graph.nodes.length] = stack();
    return this.graph.constant(
      dtype,
      shape,
      offRecord(() => backend.readSync(id)),
    );
  }
}

/** The bodies that are being recorded, innermost last. */
const recordings: Recording[] = [];
/** Tensors whose numbers JavaScript wrote while the step ran. */
let madeInside = new WeakSet<DataId>();
/** Tensors that libtensorflow made while the step ran; the recorder has names for all but those that it was not shown. */
let madeUnseen = new WeakSet<DataId>();
let isOffRecord = false;

/** The innermost body that is being recorded, if one is. */
export function currentRecording(): Recording | undefined {
  return recordings.at(-1);
}

/** Runs `body` with every operation noted in `recording`. The bodies of loops are recorded within that of their step. */
export function recordInto<T>(recording: Recording, body: () => T): T {
  const outermost = recordings.length === 0;
  const restore = outermost ? hook(nativeBackend()) : undefined;
  recordings.push(recording);
  const undo = (): void => {
    recordings.pop();
    restore?.();
  };
  return inForce(undo, () => withKeyTrace(recording, body));
}

/** A stand-in for seeds whose place is known only when the body is complete. */
function unboundReference(): Reference {
  return { node: "", position: 0, dtype: dataTypes.int32 };
}

const hooked = [
  "executeSingleOutput",
  "executeMultipleOutputs",
  "createOutputTensor",
  "read",
  "readSync",
  "write",
] as const satisfies readonly (keyof NativeBackend)[];

/** Puts the recorder between tfjs's kernels and the addon; returns what takes it away again. */
function hook(backend: NativeBackend): () => void {
  const { executeSingleOutput, executeMultipleOutputs, createOutputTensor, read, readSync, write } = backend;
  const { random } = Math;
  madeInside = new WeakSet();
  madeUnseen = new WeakSet();
  const note = (
    name: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
  ): void => {
    if (isOffRecord) return;
    const recording = currentRecording() as Recording;
    const references = inputs.map((input) => recording.reference(input));
    const made = addOperation(recording, name, attributes, references, outputs);
    for (const [i, output] of outputs.entries()) recording.name(output, made[i] as Reference);
  };
  backend.executeSingleOutput = (name, attributes, inputs) => {
    const output = executeSingleOutput.call(backend, name, attributes, inputs);
    note(name, attributes, inputs, [output]);
    return output;
  };
  backend.executeMultipleOutputs = (name, attributes, inputs, count) => {
    const outputs = executeMultipleOutputs.call(backend, name, attributes, inputs, count);
    note(name, attributes, inputs, outputs);
    return outputs;
  };
  backend.createOutputTensor = (output) => {
    const tensor = createOutputTensor.call(backend, output);
    madeUnseen.add(tensor.dataId);
    return tensor;
  };
  const refuse = (id: DataId): void => {
    if (!isOffRecord && currentRecording()?.has(id)) throw new CompileError(readsAValue());
  };
  backend.readSync = (id) => {
    refuse(id);
    return readSync.call(backend, id);
  };
  backend.read = (id) => {
    refuse(id);
    return read.call(backend, id);
  };
  backend.write = (values, shape, dtype) => {
    const id = write.call(backend, values, shape, dtype);
    madeInside.add(id);
    return id;
  };
  Math.random = () => {
    throw new CompileError(
      `the step draws a JavaScript random number${callSite()}, which every later call would repeat; draw with normal(key, shape) and its like from a key that the step is given.`,
    );
  };
  return () => {
    Object.assign(Math, { random });
    const own = backend as Partial<NativeBackend>;
    for (const method of hooked) delete own[method];
  };
}

/** Runs what the recorder does for itself: nothing of it is noted or refused. */
export function offRecord<T>(compute: () => T): T {
  const before = isOffRecord;
  isOffRecord = true;
  return inForce(() => {
    isOffRecord = before;
  }, compute);
}

function typeOf(id: DataId): number {
  return nativeBackend().tensorMap.get(id)!.dtype;
}

function shapeOf(id: DataId): readonly number[] {
  return nativeBackend().tensorMap.get(id)!.shape;
}

function readsAValue(): string {
  return (
    `the step reads a tensor's value${callSite()}, so what it does would depend on the values of the recorded call; ` +
    "compute with tensors instead (tf.where in place of if), or read the value after the step has returned it."
  );
}
