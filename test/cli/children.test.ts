import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { endChildren, runChild } from "../../src/cli/children.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "children-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.[0] !== "Z";
  } catch {
    return false;
  }
}

it("gives lines as they come, and the exit code", async () => {
  const lines: string[] = [];
  const result = await runChild(
    process.execPath,
    ["-e", "console.log('a\\nb'); console.error('c'); process.exitCode = 7"],
    {
      onStdout: (line) => lines.push(line),
    },
  );
  expect(lines).toEqual(["a", "b"]);
  expect(result).toMatchObject({ code: 7, signal: null, stdout: "a\nb", stderr: "c", timedOut: false });
});

it("ends a child that runs too long, and says so", async () => {
  const result = await runChild(process.execPath, ["-e", "setInterval(() => {}, 1e6)"], { timeout: 0.5 });
  expect(result).toMatchObject({ code: null, signal: "SIGTERM", timedOut: true });
});

it("rejects with the system's error where the program does not exist", async () => {
  await expect(runChild(join(folder, "nothing"), [])).rejects.toMatchObject({ code: "ENOENT" });
});

it.runIf(process.platform === "linux")("ends the children of a child too", async () => {
  const pidFile = join(folder, "pid");
  const running = runChild("sh", ["-c", `sleep 300 & echo $! > ${pidFile}; wait`]);
  await expect.poll(() => readPid(pidFile), { timeout: 5000 }).toBeGreaterThan(0);
  const grandchild = readPid(pidFile);
  expect(isAlive(grandchild)).toBe(true);
  await endChildren();
  await running;
  await expect.poll(() => isAlive(grandchild), { timeout: 5000 }).toBe(false);
});

function readPid(path: string): number {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return 0;
  }
}
