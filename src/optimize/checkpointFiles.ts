/** Two files that change as one: data under a name of their own, and a JSON record that names them and is renamed into place last. */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A record and the data it belongs to. */
export interface Pair {
  readonly record: Readonly<Record<string, unknown>>;
  readonly data: Uint8Array;
}

let written = 0;

/**
 * Writes `<path>.json` and the data `<path>.<label>-<sha256>.safetensors` that it names, so that a crash at any moment leaves the pair
 * before or this one.
 *
 * The data are on the disk under a name that no earlier pair uses before the record replaces the one before, in one rename; only then the
 * data of earlier pairs are removed.
 *
 * @param label what distinguishes this pair for a reader, for instance the step.
 * @throws Error with one sentence if the files cannot be written.
 */
export async function writePair(path: string, label: string, { record, data }: Pair): Promise<void> {
  const [folder, base] = [dirname(path), basename(path)];
  const sha256 = digest(data);
  const file = `${base}.${label}-${sha256.slice(0, 8)}.safetensors`;
  await explained(path, async () => {
    await mkdir(folder, { recursive: true });
    await replace(join(folder, file), data);
    await replace(`${path}.json`, `${JSON.stringify({ ...record, data: { file, sha256 } }, null, 1)}\n`);
    for (const name of await readdir(folder)) {
      if (name !== file && isOurs(base, name)) await rm(join(folder, name), { force: true });
    }
  });
}

/**
 * Reads what {@link writePair} wrote, or nothing where there is no record.
 *
 * @throws Error with one sentence if the record is no JSON, or the data it names are missing or are not those it was written with.
 */
export async function readPair(path: string): Promise<Pair | undefined> {
  const text = await readIfThere(`${path}.json`);
  if (text === undefined) return undefined;
  let record: unknown;
  try {
    record = JSON.parse(text.toString());
  } catch {
    throw unusable(path, "it is not JSON");
  }
  const named = (record as { data?: { file?: unknown; sha256?: unknown } } | null)?.data;
  const file = named?.file;
  if (typeof file !== "string" || !isData(basename(path), file)) throw unusable(path, "it names no data file");
  const data = await readIfThere(join(dirname(path), file));
  if (data === undefined) throw unusable(path, `its data file ${file} is missing`);
  if (digest(data) !== named?.sha256) throw unusable(path, `its data file ${file} has changed since it was written`);
  return { record: record as Record<string, unknown>, data };
}

/** Finds out before a long run whether its checkpoints can be written. */
export async function checkWritable(path: string): Promise<void> {
  await explained(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    const probe = temporaryFor(path);
    await (await open(probe, "wx")).close();
    await rm(probe);
  });
}

/** The error of a checkpoint that cannot be gone on from. */
export function unusable(path: string, why: string): Error {
  return new Error(
    `The checkpoint ${path}.json cannot be used: ${why}. Remove it, or give resume: false to start anew.`,
  );
}

/** Writes a file whole or not at all, and waits until it is on the disk under its name. */
async function replace(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = temporaryFor(path);
  const file = await open(temporary, "wx");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  if (process.platform === "win32") return; // a folder cannot be opened there
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${written++}.tmp`);
}

/** Whether a file is data of this checkpoint. */
function isData(base: string, name: string): boolean {
  return name.startsWith(`${base}.`) && /^\d+-[0-9a-f]{8}\.safetensors$/.test(name.slice(base.length + 1));
}

/** Whether a file is data of this checkpoint or a piece that a crash left. */
function isOurs(base: string, name: string): boolean {
  if (isData(base, name)) return true;
  const written = name.match(/^\.(.*)\.\d+-\d+\.tmp$/)?.[1];
  return written !== undefined && (written === base || written === `${base}.json` || isData(base, written));
}

function digest(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  ENOTDIR: "part of its path is a file, not a folder",
  EEXIST: "part of its path is a file, not a folder",
  EISDIR: "it is a folder",
};

async function explained(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const reason = reasons[(error as NodeJS.ErrnoException).code ?? ""] ?? String(error);
    throw new Error(`Cannot write the checkpoint ${path}: ${reason}. Choose another path, or free this one.`, {
      cause: error,
    });
  }
}
