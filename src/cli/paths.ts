import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's root: the folder that holds `package.json`, seen from `src/cli` and from `dist/cli` alike. */
export const projectDirectory: string = fileURLToPath(new URL("../../", import.meta.url)).replace(/[\\/]$/, "");

const inProject = {
  /** Compiled library. */
  dist: "dist",
  /** Source notebooks, `notebooks/<paper>/<notebook>.ipynb`. */
  notebooks: "notebooks",
  /** Data that is shipped with the project. */
  data: "data",
  /** Python helpers and their lock file. */
  python: "python",
  requirementsLock: "python/requirements.lock",
  nodeModules: "node_modules",
  /** The project's Python environment. */
  venv: ".venv",
  /** Everything that a command makes and git ignores. */
  state: ".marginalia",
  setupStamp: ".marginalia/setup.json",
  setupLock: ".marginalia/setup.lock",
  jupyterConfig: ".marginalia/jupyter/config",
  jupyterData: ".marginalia/jupyter/data",
  jupyterRuntime: ".marginalia/jupyter/runtime",
  ipython: ".marginalia/jupyter/ipython",
} as const;

/** Every path inside the project that a command names, absolute. */
export const paths: { readonly [Name in keyof typeof inProject]: string } = Object.fromEntries(
  Object.entries(inProject).map(([name, relative]) => [name, join(projectDirectory, relative)]),
) as { [Name in keyof typeof inProject]: string };

const windows = process.platform === "win32";

/** The folder with the venv's programs. */
export const venvBin: string = join(paths.venv, windows ? "Scripts" : "bin");

/** The venv's Python; call programs as `python -m …`, which survives a moved project. */
export const venvPython: string = join(venvBin, windows ? "python.exe" : "python");

/** Where figures, tables and claims go: `MARGINALIA_OUTPUT`, else `figures/` of the project. */
export function outputDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.MARGINALIA_OUTPUT ? resolve(environment.MARGINALIA_OUTPUT) : join(projectDirectory, "figures");
}

/**
 * The folder that outlives the project: native backend and downloaded data.
 *
 * `MARGINALIA_CACHE` as it stands; else `marginalia` in `XDG_CACHE_HOME`, `~/Library/Caches` (macOS), `%LOCALAPPDATA%` (Windows) or `~/.cache`.
 */
export function cacheDirectory(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (environment.MARGINALIA_CACHE) return resolve(environment.MARGINALIA_CACHE);
  const home = environment.HOME || homedir();
  if (environment.XDG_CACHE_HOME) return join(environment.XDG_CACHE_HOME, "marginalia");
  if (platform === "darwin") return join(home, "Library", "Caches", "marginalia");
  if (platform === "win32")
    return join(environment.LOCALAPPDATA || join(home, "AppData", "Local"), "marginalia", "cache");
  return join(home, ".cache", "marginalia");
}
