import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** What the sentinel's thread is given: where it counts interrupts, and the process without which the kernel is to end (0 for none). */
export interface SentinelData {
  readonly arrived: Int32Array;
  readonly parent: number;
}

const arrived = new Int32Array(new SharedArrayBuffer(4));
let onInterrupt: (() => void) | undefined;

/**
 * Starts a thread that takes the interrupts (SIGINT), also while cells keep the main thread busy, and that ends this process when the
 * Jupyter server which started it is gone, even if it was killed and could not say so.
 *
 * A listener for SIGINT on `process` would lose a signal that arrives while Node watches for it otherwise, as it does when cells run.
 */
export async function startSentinel(
  interrupt: () => void,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  onInterrupt = interrupt;
  keepSignal();
  const pid = Number(environment.JPY_PARENT_PID ?? 0);
  const workerData: SentinelData = { arrived, parent: Number.isInteger(pid) && pid > 1 ? pid : 0 };
  const worker = new Worker(new URL("./sentinelThread.js", import.meta.url), { workerData });
  await once(worker, "message");
  worker.on("message", takeInterrupts);
  worker.unref();
}

/** Handles the interrupts that arrived, in code that may not give the event loop a turn. */
export function takeInterrupts(): void {
  if (Atomics.load(arrived, 0) > 0 && Atomics.exchange(arrived, 0, 0) > 0) onInterrupt?.();
}

/** Forgets interrupts that have been handled otherwise: SIGINT broke the script that ran. */
export function forgetInterrupts(): void {
  Atomics.store(arrived, 0, 0);
}

/** Ignores listeners for SIGINT: a library that adds and removes one would leave the signal with its default, which is to end the process. */
function keepSignal(): void {
  for (const method of ["on", "addListener", "once", "prependListener", "prependOnceListener"] as const) {
    const add = process[method].bind(process) as (event: string | symbol, listener: () => void) => NodeJS.Process;
    const guarded = (event: string | symbol, listener: () => void) =>
      event === "SIGINT" ? process : add(event, listener);
    Reflect.set(process, method, guarded);
  }
}
