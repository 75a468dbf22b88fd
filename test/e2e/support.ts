import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { projectDirectory } from "../../src/cli/paths.js";

export const fixtures: string = join(projectDirectory, "test", "notebooks", "fixtures");
const reports = join(projectDirectory, ".marginalia", "test");

/** A new folder below `.marginalia/test`, where modules resolve as they do in the project. */
export function newFolder(name: string): string {
  mkdirSync(reports, { recursive: true });
  return mkdtempSync(join(reports, `${name}-`));
}

/** An emptied folder below `.marginalia/test` whose content is kept for a person to look at. */
export function keptFolder(name: string): string {
  const folder = join(reports, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The compiled command line, started as a user starts it. */
export function startMarginalia(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [join(projectDirectory, "bin", "marginalia.mjs"), ...args], {
    cwd: projectDirectory,
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((done, fail) => {
    child.once("error", fail);
    child.once("close", (code) => done({ code, stdout, stderr }));
  });
  return { child, ended };
}

/** Runs the compiled command line to its end. */
export function marginalia(args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<Ended> {
  return startMarginalia(args, environment).ended;
}

/** The processes whose environment holds this text, as Linux tells. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(join("/proc", pid, "environ"), "utf8").includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Waits until something is so. */
export async function until(so: () => boolean, seconds: number, what: string): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !so(); ) {
    if (Date.now() > deadline) throw new Error(`After ${seconds} s still not so: ${what}.`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export function readJson<T>(...parts: string[]): T {
  return JSON.parse(readFileSync(resolve(...parts), "utf8")) as T;
}
