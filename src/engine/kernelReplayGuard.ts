import { CompileError } from "./compileError.js";
import { inForce } from "./inForce.js";
import { tf } from "./tf.js";

interface Read {
  readonly dataId: object;
  /** Made where the value was read, so that its stack names the line. */
  readonly error: Error;
}

/** Refuses what a replay could not repeat: values that are read, and random numbers of JavaScript. */
export class RecordingGuard {
  #reads: Read[] = [];

  /** @param refuses whether the data may not be read now. */
  constructor(private readonly refuses: (dataId: object) => boolean) {}

  /** Runs `step` under guard. */
  watch<T>(step: () => T): T {
    const engine = tf.engine();
    const { read, readSync } = engine;
    const { random } = Math;
    engine.readSync = (dataId) => {
      this.note(dataId);
      return readSync.call(engine, dataId);
    };
    engine.read = (dataId) => {
      this.note(dataId);
      return read.call(engine, dataId);
    };
    Math.random = () => {
      throw new CompileError(
        "the step draws a random number of JavaScript, which every later call would repeat; " +
          "draw with normal(key, shape) and its like, from a key that the step is given.",
      );
    };
    const undo = (): void => {
      Object.assign(engine, { read, readSync });
      Math.random = random;
    };
    return inForce(undo, () => {
      const result = step();
      this.check();
      return result;
    });
  }

  /** Permits the latest read of the data: whoever made it has said how to make it again. */
  permit(dataId: object): void {
    const latest = this.#reads.map((read) => read.dataId).lastIndexOf(dataId);
    this.#reads = this.#reads.filter((_, i) => i !== latest);
  }

  /** @throws Error if a value was read and nobody has permitted it. */
  check(): void {
    if (this.#reads[0]) throw this.#reads[0].error;
  }

  private note(dataId: object): void {
    if (!this.refuses(dataId)) return;
    const error = new CompileError(
      "the step reads a tensor's value, so what it does would depend on the values of the recorded call; " +
        "compute with tensors instead (tf.where in place of if), or read the value after the step has returned it.",
    );
    this.#reads.push({ dataId, error });
  }
}
