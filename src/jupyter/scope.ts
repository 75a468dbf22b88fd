import { AsyncLocalStorage } from "node:async_hooks";

/** What an interrupted cell throws. */
export class KeyboardInterrupt extends Error {
  override readonly name: string = "KeyboardInterrupt";

  constructor() {
    super("The cell was interrupted.");
  }
}

/** Whether a value is an interrupt, the kernel's or that of a library which saw the signal. */
export function isKeyboardInterrupt(error: unknown): boolean {
  return error instanceof Error && error.name === "KeyboardInterrupt";
}

/** Where libraries find the `AbortSignal` of the cell on whose behalf they run, on `globalThis`. */
export const INTERRUPT: symbol = Symbol.for("marginalia.interrupt");

/**
 * How long an awaited library call may take to notice the signal and to end by itself before the cell goes on without it.
 * The kernel is then free earlier, but the last line of the call may still arrive.
 */
const GRACE_MS = 250;

const scopes = new AsyncLocalStorage<CellScope>();

/**
 * One run of one cell: whether it was stopped, and why.
 *
 * The scope follows the asynchronous calls of the cell, also after the cell has ended, so that a stopped cell stays stopped
 * while later cells run.
 */
export class CellScope {
  readonly #controller = new AbortController();
  #stopped = false;
  #reason: unknown;
  readonly #pending = new Set<(reason: unknown) => void>();

  /** Aborted as soon as the cell is stopped. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the cell was interrupted or failed by an error outside its own flow. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** The first reason for which the cell was stopped. */
  get reason(): unknown {
    return this.#reason;
  }

  /** Runs a function on behalf of this cell. */
  run<T>(body: () => T): T {
    return scopes.run(this, body);
  }

  /** Stops the cell at its next `await`; an `await` that waits now gives up after `graceMs`. */
  stop(reason: unknown, graceMs: number = GRACE_MS): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#reason = reason;
    this.#controller.abort(reason);
    setTimeout(() => {
      for (const reject of this.#pending) reject(reason);
    }, graceMs);
  }

  /** The awaited value, or a rejection once the cell is stopped. */
  race(awaited: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      Promise.resolve(awaited)
        .then(resolve, reject)
        .finally(() => this.#pending.delete(reject));
    });
  }
}

/** The cell on whose behalf the caller runs. */
export function currentScope(): CellScope | undefined {
  return scopes.getStore();
}

/** Offers libraries the signal of the cell on whose behalf they run, read afresh at each use. */
export function installInterruptSignal(): void {
  Object.defineProperty(globalThis, INTERRUPT, { get: () => currentScope()?.signal, configurable: true });
}
