import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const heartbeat = 2_000;
const silence = 60_000;

/**
 * Runs `work` while holding a lock file, so that two processes never do the same work at once.
 *
 * The file names its holder; a lock whose holder has died, or has not been heard of for a minute, is taken over. (Node has no
 * advisory file locks.) `onWait` is called once with the holder's process id if somebody else holds the lock; an aborted
 * `signal` ends the waiting by throwing its reason.
 */
export async function withLock(path, work, { onWait, signal } = {}) {
  mkdirSync(dirname(path), { recursive: true });
  for (let waiting = false; !tryTake(path); ) {
    if (!waiting) onWait?.(holder(path)?.pid);
    waiting = true;
    await sleep(200, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
  const timer = setInterval(() => {
    try {
      const now = new Date();
      utimesSync(path, now, now);
    } catch {
      // Gone with its folder: then there is nothing left to keep alive.
    }
  }, heartbeat).unref();
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (isMine(holder(path))) rmSync(path, { force: true });
  }
}

function tryTake(path) {
  if (create(path)) return true;
  if (!isStale(path)) return false;
  // Only one process at a time may take over, or a second one could remove the lock that the first has just made.
  const takeover = `${path}.takeover`;
  if (!create(takeover)) {
    if (isStale(takeover)) rmSync(takeover, { force: true });
    return false;
  }
  try {
    if (isStale(path)) rmSync(path, { force: true });
    return create(path);
  } finally {
    rmSync(takeover, { force: true });
  }
}

function create(path) {
  let file;
  try {
    file = openSync(path, "wx");
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
  writeSync(file, JSON.stringify({ pid: process.pid, host: hostname() }));
  closeSync(file);
  return true;
}

function holder(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined; // gone, or not yet written
  }
}

function isMine(owner) {
  return owner?.pid === process.pid && owner.host === hostname();
}

function isStale(path) {
  const age = statSync(path, { throwIfNoEntry: false });
  if (!age) return false;
  if (Date.now() - age.mtimeMs > silence) return true;
  const owner = holder(path);
  return owner?.host === hostname() && !isAlive(owner.pid);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== "ESRCH";
  }
}
