import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { catalogue, type DataFile, type DatasetRecord } from "./catalogue.js";
import { DataError } from "./dataError.js";
import { download } from "./download.js";
import { verify } from "./verify.js";

/** A folder where data files may lie, and what it is called in messages. */
export interface DataFolder {
  readonly path: string;
  readonly kind: "MARGINALIA_DATA" | "shipped with the project" | "cache";
}

/** How to look for data. */
export interface LocateOptions {
  /** Whether to download what is nowhere on this machine; true by default. */
  readonly download?: boolean;
  /** Told one line before each download; `console.info` by default. */
  readonly report?: (line: string) => void;
  /** Environment variables; those of the process by default. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** What {@link findDatasets} knows of one data set. */
export interface DatasetStatus {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  /** Whether every file is on this machine; its content is verified only when it is loaded. */
  readonly found: boolean;
  /** Where its files lie. */
  readonly paths: readonly string[];
  /** The files that are nowhere. */
  readonly missing: readonly string[];
}

/**
 * The folders that are searched for data, in this order: `MARGINALIA_DATA`, the project's `data/`, the user's cache.
 *
 * The cache is `data` in `MARGINALIA_CACHE`, else in the user's cache folder for `marginalia` (`XDG_CACHE_HOME`, the system's own place, `~/.cache`).
 */
export function dataFolders(environment: NodeJS.ProcessEnv = process.env): readonly DataFolder[] {
  const folders: DataFolder[] = [
    { path: fileURLToPath(new URL("../../data", import.meta.url)), kind: "shipped with the project" },
    { path: join(cacheFolder(environment), "data"), kind: "cache" },
  ];
  if (environment.MARGINALIA_DATA) {
    folders.unshift({ path: resolve(environment.MARGINALIA_DATA), kind: "MARGINALIA_DATA" });
  }
  return folders;
}

function cacheFolder(environment: NodeJS.ProcessEnv): string {
  if (environment.MARGINALIA_CACHE) return resolve(environment.MARGINALIA_CACHE);
  if (environment.XDG_CACHE_HOME) return join(environment.XDG_CACHE_HOME, "marginalia");
  const home = environment.HOME || homedir();
  if (process.platform === "darwin") return join(home, "Library", "Caches", "marginalia");
  if (process.platform === "win32") {
    return join(environment.LOCALAPPDATA || join(home, "AppData", "Local"), "marginalia", "cache");
  }
  return join(home, ".cache", "marginalia");
}

/** Path of a data file on this machine, plain or gzipped, in the first folder that has it; `undefined` if none has. */
export function findFile(file: DataFile, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return dataFolders(environment)
    .flatMap((folder) => [join(folder.path, file.name), join(folder.path, `${file.name}.gz`)])
    .find(isFile);
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    // Absent, or behind something that is no folder or may not be entered: nothing that can be loaded.
    return false;
  }
}

/**
 * The verified, uncompressed content of a data file: found on this machine, or downloaded into the cache.
 *
 * @param file - an entry of the {@link catalogue}.
 * @param options - whether and how to download.
 * @throws DataError with reason `"missing"`, naming every place that was searched, or `"damaged"`, naming the file; each says what to do.
 */
export async function loadFile(file: DataFile, options: LocateOptions = {}): Promise<Uint8Array> {
  const { environment = process.env, report = console.info } = options;
  const path = findFile(file, environment);
  if (path !== undefined) {
    try {
      return await verify(await readFile(path), file);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new DataError(
        "damaged",
        `The data file ${path} cannot be used (${why}); delete it or put a whole copy in its place, then run again.`,
        { cause: error },
      );
    }
  }
  const folders = dataFolders(environment);
  const cache = folders[folders.length - 1].path;
  let noDownload = file.mirrors.length === 0 ? "there is no address to download it from" : "downloading is off";
  if (file.mirrors.length > 0 && options.download !== false) {
    try {
      return await download(file, cache, report);
    } catch (error) {
      if (error instanceof Error && error.name === "KeyboardInterrupt") throw error;
      noDownload = `the download failed (${error instanceof Error ? error.message : error})`;
    }
  }
  throw new DataError("missing", missing(file, folders, noDownload));
}

function missing(file: DataFile, folders: readonly DataFolder[], noDownload: string): string {
  const places = folders.map(({ path, kind }) => `${path} (${kind}${existsSync(path) ? "" : ", no such folder"})`);
  if (folders[0].kind !== "MARGINALIA_DATA") places.unshift("MARGINALIA_DATA (not set)");
  return (
    `The data file ${file.name} was not found in ${places.join(", ")}, and ${noDownload}; ` +
    `set MARGINALIA_DATA to a folder that holds ${file.name} or ${file.name}.gz.`
  );
}

/**
 * Which data sets of the {@link catalogue} are on this machine, without reading or downloading any.
 *
 * @param environment - environment variables; those of the process by default.
 */
export function findDatasets(environment: NodeJS.ProcessEnv = process.env): readonly DatasetStatus[] {
  return Object.values(catalogue).map((record: DatasetRecord) => {
    const located = Object.values(record.files).map((file) => ({ file, path: findFile(file, environment) }));
    const paths = located.flatMap(({ path }) => path ?? []);
    const absent = located.filter(({ path }) => path === undefined).map(({ file }) => file.name);
    const { name, title, licence } = record;
    return { name, title, licence, found: absent.length === 0, paths, missing: absent };
  });
}
