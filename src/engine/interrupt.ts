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
  const signal = (globalThis as Record<symbol, unknown>)[signalName] as AbortSignal | undefined;
  if (!signal?.aborted) return;
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
