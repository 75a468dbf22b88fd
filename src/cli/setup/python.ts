import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { runChild } from "../children.js";
import { Failure } from "../failure.js";

/** The oldest Python that the lock file was resolved for. */
export const minimumPython: readonly [number, number] = [3, 10];

/** A Python interpreter that can make the project's environment. */
export interface Python {
  readonly program: string;
  readonly version: string;
}

const candidates = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"];

/** The file that a program's name stands for on the path, as the shell would find it. */
export function findProgram(name: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = isAbsolute(name) ? [""] : (environment.PATH ?? "").split(delimiter).filter(Boolean);
  const endings = process.platform === "win32" ? [".exe", ".cmd", ""] : [""];
  for (const folder of folders) {
    for (const ending of endings) {
      const file = join(folder, name + ending);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not here: look further.
      }
    }
  }
  return undefined;
}

/**
 * A Python of at least {@link minimumPython} with `venv` and `ensurepip`: the one that the variable `PYTHON` names, or the
 * first that fits of python3, python3.13 … python3.10, python.
 *
 * @throws Failure that says what was found instead, and what to install.
 */
export async function findPython(environment: NodeJS.ProcessEnv = process.env): Promise<Python> {
  const wanted = minimumPython.join(".");
  const names = environment.PYTHON ? [environment.PYTHON] : candidates;
  const tooOld: string[] = [];
  const withoutVenv: string[] = [];
  for (const name of names) {
    const program = findProgram(name, environment);
    if (!program) continue;
    const answer = await examine(program, environment);
    if (!answer) continue;
    const [major = 0, minor = 0] = answer.version.split(".").map(Number);
    if (major < minimumPython[0] || (major === minimumPython[0] && minor < minimumPython[1]))
      tooOld.push(`${name} is ${answer.version}`);
    else if (!answer.venv) withoutVenv.push(`${name} (${answer.version})`);
    else return { program, version: answer.version };
  }
  if (withoutVenv.length > 0) {
    throw new Failure(
      `${withoutVenv[0]} has no venv module: install it (on Debian and Ubuntu "apt install python3-venv") or name another Python in PYTHON.`,
    );
  }
  if (tooOld.length > 0) {
    throw new Failure(
      `Python ${wanted} or newer is needed, but ${tooOld.join(", ")}: install a newer one or name it in PYTHON.`,
    );
  }
  if (environment.PYTHON) throw new Failure(`PYTHON names "${environment.PYTHON}", which is not a Python that runs.`);
  throw new Failure(`Python ${wanted} or newer was not found on the PATH: install it, or name it in PYTHON.`);
}

async function examine(
  program: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ version: string; venv: boolean } | undefined> {
  const script = [
    "import sys, importlib.util as u",
    "print('.'.join(map(str, sys.version_info[:3])), all(u.find_spec(m) for m in ('venv', 'ensurepip')))",
  ].join("\n");
  try {
    const { code, stdout } = await runChild(program, ["-c", script], { environment, timeout: 30 });
    const match = /^(\d+\.\d+\.\d+) (True|False)$/m.exec(stdout);
    return code === 0 && match ? { version: match[1]!, venv: match[2] === "True" } : undefined;
  } catch (error) {
    if (error instanceof Failure) throw error;
    return undefined; // A file of that name which the system cannot start is no Python.
  }
}
