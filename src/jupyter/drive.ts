import { Script } from "node:vm";
import { type CellScope, currentScope, KeyboardInterrupt } from "./scope.js";
import { forgetInterrupts, takeInterrupts } from "./sentinel.js";

/**
 * The code of a cell, as the compiler rewrote it: where it would await at its top level, it yields the number of that `await` and the
 * awaited value.
 */
export type CellBody = () => Generator<readonly [site: number, awaited: unknown], void, unknown>;

const STEP = Symbol.for("marginalia.step");
const step = new Script('globalThis[Symbol.for("marginalia.step")]()', { filename: "node:internal/marginalia/step" });

/** Calls a function so that SIGINT stops it even in an endless synchronous loop. */
export function interruptibly<T>(body: () => T): T {
  Reflect.set(globalThis, STEP, body);
  try {
    return step.runInThisContext({ breakOnSigint: true }) as T;
  } catch (error) {
    throw asInterrupt(error);
  }
}

/** The error itself, or an interrupt where it says that SIGINT broke synchronous code. */
export function asInterrupt(error: unknown): unknown {
  if (!(error instanceof Error && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_INTERRUPTED")) return error;
  forgetInterrupts();
  return new KeyboardInterrupt();
}

/**
 * Runs the code of a cell from `await` to `await`.
 *
 * An async function would do the same, except that nothing could stop a synchronous loop after its first `await`: Node watches for
 * SIGINT only within the call that starts a script. Here each stretch between two awaits is such a call.
 *
 * @param onRejection - told of each rejected `await`, by its number: engines know where an async function waits, but not where a generator does.
 */
export async function drive(body: CellBody, onRejection: (error: unknown, site: number) => void): Promise<void> {
  const scope = currentScope();
  if (scope === undefined) throw new Error("A cell runs in a scope.");
  const generator = body();
  let resume = () => generator.next();
  for (;;) {
    const told = scope.stopped;
    const turn = interruptibly(() => resume());
    if (turn.done) return;
    // The code knows that it was stopped and awaits again: it caught the error, or cleans up. Nothing more of it runs.
    if (told && scope.stopped) throw scope.reason;
    const [site, awaited] = turn.value;
    resume = await settle(scope, generator, awaited, (error) => onRejection(error, site));
  }
}

type Resume = () => IteratorResult<readonly [number, unknown], void>;

async function settle(
  scope: CellScope,
  generator: ReturnType<CellBody>,
  awaited: unknown,
  onRejection: (error: unknown) => void,
): Promise<Resume> {
  try {
    const value = await scope.race(awaited);
    takeInterrupts();
    if (scope.stopped) return () => generator.throw(scope.reason);
    return () => generator.next(value);
  } catch (error) {
    onRejection(error);
    return () => generator.throw(error);
  }
}

/** Throws if the cell on whose behalf the caller runs was stopped, else returns the value. */
export function check<T>(value: T): T {
  takeInterrupts();
  const scope = currentScope();
  if (scope?.stopped) throw scope.reason;
  return value;
}

/** What a function of a cell awaits: the value itself, or, once the cell was stopped, nothing that ever comes. */
export function gate<T>(value: T): T | Promise<never> {
  return currentScope()?.stopped ? new Promise<never>(() => {}) : value;
}

/** The values of what a cell iterates over with `for await`, until the cell is stopped. */
export async function* each<T>(iterable: AsyncIterable<T> | Iterable<T>): AsyncGenerator<Awaited<T>, void> {
  const iterator = Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
  let open = true;
  try {
    for (;;) {
      open = false; // An iterator that throws or ends is closed already.
      const next = (await (currentScope()?.race(iterator.next()) ?? iterator.next())) as IteratorResult<T>;
      check(undefined);
      if (next.done) return;
      open = true;
      yield await next.value;
    }
  } finally {
    if (open) await iterator.return?.();
  }
}
