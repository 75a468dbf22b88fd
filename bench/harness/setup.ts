import { rmSync, writeFileSync } from "node:fs";
import { handleSignals, runChild } from "../../src/cli/children.js";
import { Failure } from "../../src/cli/failure.js";
import { freeBytes } from "../../src/cli/setup/files.js";
import { findPython } from "../../src/cli/setup/python.js";
import { runStep, type StepProgress } from "../../src/cli/setup/step.js";
import { lastLines, pipEnvironment, pipTrouble } from "../../src/cli/setup/venv.js";
import { formatBytes } from "../../src/cli/terminal.js";
import { bench } from "./paths.js";
import { program } from "./program.js";
import { isInstalled, lockFile, stampFile, venv, venvPython, wantedStamp } from "./python.js";

const minimum = [3, 11] as const;
/** Bytes: on Linux the wheel of PyTorch brings CUDA along, and pip keeps what it fetched until it has unpacked it. */
const needed = process.platform === "linux" ? 1e10 : 2.5e9;

/** JAX, PyTorch, scikit-learn and gensim in `bench/.venv`, as the lock file pins them; does nothing where that is done. */
export function main(): Promise<number> {
  return program(async () => {
    handleSignals();
    if (isInstalled()) return void process.stderr.write("✓ bench/.venv is complete\n");
    const python = await findPython();
    const [major = 0, minor = 0] = python.version.split(".").map(Number);
    if (major === minimum[0] && minor < minimum[1]) {
      throw new Failure(
        `JAX needs Python ${minimum.join(".")} or newer, and ${python.program} is ${python.version}: name a newer one in PYTHON.`,
      );
    }
    const free = freeBytes(bench);
    if (free < needed) {
      throw new Failure(
        `The libraries need ${formatBytes(needed)} in ${bench}, and ${formatBytes(free)} are free: make room, or run the benchmark with --without jax,torch,scikit-learn,gensim.`,
      );
    }
    await runStep("JAX, PyTorch, scikit-learn, gensim", (progress) => install(python.program, progress));
  });
}

async function install(python: string, progress: StepProgress): Promise<{ readonly summary: string }> {
  progress.report("making the environment");
  rmSync(venv, { recursive: true, force: true });
  const made = await runChild(python, ["-m", "venv", venv], { environment: pipEnvironment() });
  if (made.code !== 0) {
    throw new Failure(`${python} could not make an environment in ${venv}.`, {
      details: lastLines(made.stderr || made.stdout),
    });
  }
  const pip = ["-m", "pip", "install", "--require-hashes", "--only-binary=:all:", "--progress-bar=off", "-r", lockFile];
  const installed = await runChild(venvPython, pip, {
    environment: pipEnvironment(),
    onStdout(line) {
      const name = /^Collecting ([\w-]+)/.exec(line)?.[1];
      if (name) progress.report(`fetching ${name}`);
      if (line.startsWith("Installing collected packages")) progress.report("installing");
    },
  });
  if (installed.code !== 0) {
    const { why, remedy } = pipTrouble(installed.stderr);
    throw new Failure(`The libraries could not be installed, because ${why}: ${remedy} and run the command again.`, {
      details: lastLines(installed.stderr),
    });
  }
  writeFileSync(stampFile, wantedStamp());
  return { summary: `in ${venv}` };
}
