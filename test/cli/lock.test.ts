import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { withLock } from "../../bin/lock.mjs";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
  path = join(folder, "deep", "work.lock");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A process that takes the lock many times and adds one to a counter in a file: no addition may be lost. */
function counter(rounds: number): Promise<number | null> {
  const script = `
    import { readFileSync, writeFileSync } from "node:fs";
    import { withLock } from ${JSON.stringify(new URL("../../bin/lock.mjs", import.meta.url).href)};
    for (let i = 0; i < ${rounds}; i++) {
      await withLock(${JSON.stringify(path)}, async () => {
        const file = ${JSON.stringify(join(folder, "count"))};
        const count = Number(readFileSync(file, "utf8"));
        await new Promise((resolve) => setTimeout(resolve, 5));
        writeFileSync(file, String(count + 1));
      });
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
  return new Promise((resolve) => child.once("close", resolve));
}

it("lets one process in at a time", async () => {
  writeFileSync(join(folder, "count"), "0");
  expect(await Promise.all([counter(4), counter(4), counter(4)])).toEqual([0, 0, 0]);
  expect(readFileSync(join(folder, "count"), "utf8")).toBe("12");
});

it("is released after the work, and after work that throws", async () => {
  expect(await withLock(path, async () => existsSync(path))).toBe(true);
  expect(existsSync(path)).toBe(false);
  await expect(withLock(path, () => Promise.reject(new Error("work")))).rejects.toThrow("work");
  expect(existsSync(path)).toBe(false);
});

it("is taken over from a process that has died", async () => {
  const child = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => child.once("close", resolve));
  await withLock(path, async () => undefined); // makes the folder
  writeFileSync(path, JSON.stringify({ pid: child.pid, host: hostname() }));
  expect(await withLock(path, async () => "mine")).toBe("mine");
});

it("is taken over from a holder that has been silent for a minute, wherever it runs", async () => {
  await withLock(path, async () => undefined);
  writeFileSync(path, JSON.stringify({ pid: process.pid, host: "elsewhere" }));
  const old = new Date(Date.now() - 120_000);
  utimesSync(path, old, old);
  expect(await withLock(path, async () => "mine")).toBe("mine");
});

it("waits for a living holder, names it once, and stops waiting when interrupted", async () => {
  await withLock(path, async () => undefined);
  writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname() }));
  const waited: (number | undefined)[] = [];
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("stopped")), 700);
  const waiting = withLock(path, async () => "mine", { onWait: (pid) => waited.push(pid), signal: stop.signal });
  await expect(waiting).rejects.toThrow("stopped");
  expect(waited).toEqual([process.pid]);
  expect(existsSync(path)).toBe(true);
});
