import { existsSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "../children.js";
import { jupyterEnvironment } from "../environment.js";
import { Failure } from "../failure.js";
import { paths, venvPython } from "../paths.js";
import { readJson, sha256, writeWhole } from "./files.js";
import { findPython } from "./python.js";
import type { StepProgress } from "./step.js";

/** Written last, so that it vouches for everything before it. */
const stampPath = join(paths.venv, "marginalia.json");

interface VenvStamp {
  readonly lock: string;
  readonly python: string;
  readonly interpreter: string;
}

/** The version of the Python in the project's environment, if that is complete and up to date. */
export function installedPython(): string | undefined {
  const stamp = readStamp();
  return stamp && stamp.lock === lockHash() && stamp.interpreter === interpreter() ? stamp.python : undefined;
}

/**
 * Makes `.venv` and installs what `python/requirements.lock` pins, every file checked against its hash.
 *
 * What an interrupted run left behind is made anew; a changed lock file is installed over the old environment.
 *
 * @throws Failure if there is no Python, or if pip cannot install.
 */
export async function installPython(progress: StepProgress): Promise<{ readonly summary: string }> {
  const done = installedPython();
  if (done) return { summary: `Python ${done}` };
  progress.report("looking for Python");
  const python = await findPython();
  const stamp = readStamp();
  const upgradable = stamp?.interpreter === interpreter() && stamp.python === python.version;
  rmSync(stampPath, { force: true });
  if (!upgradable) {
    progress.report("making the environment");
    rmSync(paths.venv, { recursive: true, force: true });
    const made = await runChild(python.program, ["-m", "venv", paths.venv], { environment: pipEnvironment() });
    if (made.code !== 0) {
      throw new Failure(
        `${python.program} could not make an environment in ${paths.venv} (is its venv package installed, is there space on the disk?).`,
        { details: lastLines(made.stderr || made.stdout) },
      );
    }
  }
  await installLock(progress);
  const written: VenvStamp = { lock: lockHash(), python: python.version, interpreter: interpreter() };
  writeWhole(stampPath, JSON.stringify(written));
  return { summary: `Python ${python.version}` };
}

async function installLock(progress: StepProgress): Promise<void> {
  const all = readFileSync(paths.requirementsLock, "utf8").match(/^[\w.-]+==/gm)?.length ?? 1;
  let collected = 0;
  const result = await runChild(
    venvPython,
    ["-m", "pip", "install", "--require-hashes", "--prefer-binary", "--progress-bar=off", "-r", paths.requirementsLock],
    {
      environment: pipEnvironment(),
      onStdout(line) {
        const collecting = /^Collecting (\S+)/.exec(line);
        if (collecting) {
          collected += 1;
          progress.report(collecting[1]!.replace(/[=<>!~;].*/, ""), (0.8 * Math.min(collected, all)) / all);
        } else if (line.startsWith("Installing collected packages")) {
          progress.report("installing", 0.85);
        }
      },
    },
  );
  if (result.code !== 0) {
    const { why, remedy } = pipTrouble(result.stderr);
    throw new Failure(
      `The Python packages could not be installed, because ${why}: ${remedy} and run the command again.`,
      {
        details: lastLines(result.stderr),
      },
    );
  }
}

/** What went wrong with pip, as a clause, and what to do about it, as another. */
export function pipTrouble(stderr: string): { readonly why: string; readonly remedy: string } {
  if (/No space left on device/.test(stderr)) return { why: "the disk is full", remedy: "make room" };
  if (/do not match the hashes/i.test(stderr)) {
    return { why: "the package index offers a file whose checksum is not the pinned one", remedy: "check the index" };
  }
  if (
    /NewConnectionError|ConnectionError|ReadTimeout|ProxyError|SSLError|name resolution|Connection (refused|broken)/.test(
      stderr,
    )
  ) {
    return { why: "the Python package index cannot be reached", remedy: "check the network and the proxy" };
  }
  if (/No matching distribution found/.test(stderr)) {
    return {
      why: "the Python package index has no file for this platform and Python",
      remedy: "name another Python in PYTHON",
    };
  }
  return { why: "pip stopped with an error", remedy: "see its last lines" };
}

/** The environment for pip: the user's index, proxy and certificates, but nothing that installs elsewhere. */
export function pipEnvironment(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    ...jupyterEnvironment(),
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    PIP_NO_INPUT: "1",
    PIP_USER: "0",
  };
  for (const name of [
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_REQUIREMENT",
    "PIP_CONSTRAINT",
    "PIP_REQUIRE_VIRTUALENV",
  ]) {
    delete environment[name];
  }
  return environment;
}

/** The end of a program's output, for a failure's details. */
export function lastLines(text: string, count = 12): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}

function lockHash(): string {
  return sha256(readFileSync(paths.requirementsLock));
}

/** The file behind the venv's link to its interpreter; another one after the system's Python was upgraded or removed. */
function interpreter(): string {
  return existsSync(venvPython) ? realpathSync(venvPython) : "";
}

function readStamp(): VenvStamp | undefined {
  const stamp = readJson(stampPath) as Partial<VenvStamp> | undefined;
  return stamp?.lock && stamp.python && stamp.interpreter ? (stamp as VenvStamp) : undefined;
}
