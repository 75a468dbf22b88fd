import { setInterval } from "node:timers";
import { workerData } from "node:worker_threads";

/** The thread behind `watchParent`: looks every second whether the process with the given id lives. */
const parent = workerData as number;
const isChild = process.ppid === parent;

setInterval(() => {
  if (isChild ? process.ppid !== parent : !exists(parent)) process.kill(process.pid, "SIGKILL");
}, 1000);

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
