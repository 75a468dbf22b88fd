import { Script } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import type { SentinelData } from "./sentinel.js";

/**
 * The thread that is never busy: it waits for SIGINT and looks every second whether the parent lives.
 *
 * Node lets a thread other than the main one wait for SIGINT in one way only: in a script that SIGINT breaks. Of all such scripts in the
 * process the one that started last gets the signal: the cell that runs in the main thread, else `wait` here. The scripts around `wait`
 * hold the signal while `wait` starts again; without one the signal would end the process in that moment.
 */
const { arrived, parent } = workerData as SentinelData;
const isChild = process.ppid === parent;
const nothing = new Int32Array(new SharedArrayBuffer(4));

/** How long the main thread has to take an interrupt, before the thread supposes that it is in a script. */
const TAKE_WITHIN_MS = 300;

const scripts = {
  hold: new Script("globalThis.marginaliaHold()"),
  relay: new Script("globalThis.marginaliaRelay()"),
  wait: new Script("globalThis.marginaliaWait()"),
};

Object.assign(globalThis, {
  marginaliaHold: (): void => {
    parentPort?.postMessage("ready");
    for (;;) runBreakable(scripts.relay);
  },
  marginaliaRelay: (): void => {
    for (;;) {
      if (runBreakable(scripts.wait)) Atomics.add(arrived, 0, 1);
      else {
        // The main thread started a script between the signal and now, and runs it without end. It gets the signal if it is sent again now.
        process.kill(process.pid, "SIGINT");
        sleep(TAKE_WITHIN_MS);
      }
    }
  },
  marginaliaWait: (): void => {
    // Only now that this script waits for the next signal may the main thread know of the last one, and start another cell.
    if (Atomics.load(arrived, 0) > 0) {
      parentPort?.postMessage("interrupt");
      sleep(TAKE_WITHIN_MS);
      if (Atomics.load(arrived, 0) > 0) return;
    }
    while (parent === 0 || lives()) sleep(1000);
    process.kill(process.pid, "SIGKILL");
  },
});
runBreakable(scripts.hold);

/** Runs a script, and tells whether SIGINT broke it. */
function runBreakable(script: Script): boolean {
  try {
    script.runInThisContext({ breakOnSigint: true });
    return false;
  } catch {
    return true;
  }
}

function sleep(milliseconds: number): void {
  Atomics.wait(nothing, 0, 0, milliseconds);
}

function lives(): boolean {
  if (isChild) return process.ppid === parent;
  try {
    process.kill(parent, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
