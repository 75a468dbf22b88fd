const signalName = Symbol.for("marginalia.interrupt");

/** How long a loop may hold the event loop before {@link breathe} yields, in milliseconds. */
const longestHold = 50;

let lastYield = performance.now();

/**
 * Throws if the running notebook cell has been interrupted, and otherwise does nothing.
 *
 * The kernel publishes one `AbortSignal` a cell as `globalThis[Symbol.for("marginalia.interrupt")]`; outside a notebook there is none.
 *
 * @throws Error named `KeyboardInterrupt` if that signal is aborted.
 */
export function throwIfInterrupted(): void {
  if (!currentSignal()?.aborted) return;
  const error = new Error("The cell was interrupted.");
  error.name = "KeyboardInterrupt";
  throw error;
}

/**
 * Gives way to the event loop if a loop has held it for more than 50 ms, then throws if the cell was interrupted.
 *
 * Await it once in every turn of a long loop: messages (an interrupt, a live chart) get through, and the cost is nothing where the
 * last yield is recent.
 *
 * @throws Error named `KeyboardInterrupt` if the cell was interrupted.
 */
export async function breathe(): Promise<void> {
  if (performance.now() - lastYield > longestHold) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    lastYield = performance.now();
  }
  throwIfInterrupted();
}

/**
 * Waits for a promise, or until the running notebook cell is interrupted: what waits for others gives no turn in which {@link breathe} could look.
 *
 * @throws what the promise rejects with; Error named `KeyboardInterrupt` if the cell was interrupted first.
 */
export async function untilInterrupted<T>(promise: Promise<T>): Promise<T> {
  throwIfInterrupted();
  const signal = currentSignal();
  if (!signal) return promise;
  let stop = (): void => {};
  const interrupted = new Promise<void>((resolve) => {
    stop = () => resolve();
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    const first = await Promise.race([promise.then((value) => ({ value })), interrupted]);
    if (first) return first.value;
    throwIfInterrupted();
    return await promise;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function currentSignal(): AbortSignal | undefined {
  return (globalThis as Record<symbol, unknown>)[signalName] as AbortSignal | undefined;
}
