import { Script } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import type { SentinelData } from "./sentinel.js";

/**
 * The thread that is never busy: it waits for SIGINT and looks every second whether the parent lives.
 *
 * Node lets a thread other than the main one wait for SIGINT in one way only: in a script that SIGINT breaks. An outer such script holds
 * the signal while the inner one, which a signal has broken, starts again; without it the signal would end the process in that moment.
 */
const { arrived, parent } = workerData as SentinelData;
const isChild = process.ppid === parent;
const nothing = new Int32Array(new SharedArrayBuffer(4));

const wait = new Script("globalThis.marginaliaWait()");
const watch = new Script("globalThis.marginaliaWatch()");

Object.assign(globalThis, {
  // The latest script to start gets the signal: this one must not start again while a cell runs, unless a signal broke it.
  marginaliaWait: () => {
    while (parent === 0 || lives()) Atomics.wait(nothing, 0, 0, 1000);
    process.kill(process.pid, "SIGKILL");
  },
  marginaliaWatch: () => {
    parentPort?.postMessage("ready");
    for (;;) {
      try {
        wait.runInThisContext({ breakOnSigint: true });
      } catch {
        Atomics.add(arrived, 0, 1);
        parentPort?.postMessage("interrupt");
      }
    }
  },
});
watch.runInThisContext({ breakOnSigint: true });

function lives(): boolean {
  if (isChild) return process.ppid === parent;
  try {
    process.kill(parent, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
