import { Worker } from "node:worker_threads";

/**
 * Ends this process when the Jupyter server that started it is gone, even if it was killed and could not say so.
 *
 * The watch is a thread of its own, because a cell may keep the main thread busy for ever.
 */
export function watchParent(environment: NodeJS.ProcessEnv = process.env): void {
  const parent = Number(environment.JPY_PARENT_PID ?? 0);
  if (!Number.isInteger(parent) || parent <= 1) return;
  const watch = new Worker(new URL("./parentWatch.js", import.meta.url), { workerData: parent });
  watch.unref();
}
