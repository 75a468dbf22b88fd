import { existsSync, readFileSync, realpathSync } from "node:fs";
import { Failure } from "../../src/cli/failure.js";
import { sha256 } from "../../src/cli/setup/files.js";
import { bench } from "./paths.js";

/** The benchmark's own environment. */
export const venv = `${bench}/.venv`;
export const venvPython = process.platform === "win32" ? `${venv}/Scripts/python.exe` : `${venv}/bin/python`;
export const lockFile = `${bench}/requirements.lock`;

/** Written last, so that it vouches for everything before it. */
export const stampFile = `${venv}/marginalia.json`;

/** What a complete environment's stamp says: the lock file, and the interpreter behind the environment's link. */
export function wantedStamp(): string {
  const interpreter = existsSync(venvPython) ? realpathSync(venvPython) : "";
  return JSON.stringify({ lock: sha256(readFileSync(lockFile)), interpreter });
}

/** Whether `npm run bench:setup` has run to its end with the same lock file. */
export function isInstalled(): boolean {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === wantedStamp();
}

/**
 * The interpreter that has what the benchmark compares with: the one that MARGINALIA_BENCH_PYTHON names, or that of the benchmark's own environment.
 *
 * @throws Failure that says how to get one, or how to do without.
 */
export function benchPython(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment.MARGINALIA_BENCH_PYTHON;
  if (named) {
    if (existsSync(named)) return named;
    throw new Failure(`MARGINALIA_BENCH_PYTHON names "${named}", which does not exist.`);
  }
  if (isInstalled()) return venvPython;
  throw new Failure(
    "What the benchmark compares with is not installed: run `npm run bench:setup`, or leave it out with --without jax,torch,scikit-learn,gensim.",
  );
}
