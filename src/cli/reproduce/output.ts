import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { codeOf, Failure, messageOf } from "../failure.js";
import { formatBytes } from "../terminal.js";

/** A shelf's figures take a few megabytes; with less than this free the run would end on a full disk. */
const neededBytes = 50e6;

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  ENOENT: "its parent folder cannot hold folders",
  EPERM: "permission is denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  ENOTDIR: "part of its path is a file, not a folder",
  EEXIST: "it is a file, not a folder",
};

/** How to check a folder. */
export interface WriteCheck {
  /** The option that names the folder, for the sentence. */
  readonly option?: string;
  /** Bytes that may still be written to a folder; asks the system by default. */
  readonly free?: (directory: string) => number;
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

// `mkdirSync(…, { recursive: true })` never returns below a folder that cannot hold any, such as /proc (Node 20).
function makeFolder(directory: string): void {
  if (existsSync(directory)) return;
  makeFolder(dirname(directory));
  mkdirSync(directory);
}

/**
 * Makes a folder and tries it, before hours of work go into it.
 *
 * @throws Failure if the folder cannot be made or written, or if its disk is nearly full.
 */
export function checkWritable(directory: string, options: WriteCheck = {}): void {
  const { option = "--output", free = freeBytes } = options;
  const probe = join(directory, `.write-test-${process.pid}`);
  try {
    makeFolder(directory);
    writeFileSync(probe, "x");
  } catch (error) {
    const reason = reasons[codeOf(error) ?? ""] ?? messageOf(error);
    throw new Failure(`Cannot write to ${directory}: ${reason}. Choose another folder with ${option}.`, {
      cause: error,
    });
  }
  rmSync(probe, { force: true });
  const available = free(directory);
  if (available < neededBytes) {
    throw new Failure(
      `The disk of ${directory} is nearly full (${formatBytes(available)} free, ${formatBytes(neededBytes)} needed): free some, or choose another folder with ${option}.`,
    );
  }
}

/** A folder beside the published figures where running notebooks write; what they finish is moved into place whole. */
export interface Staging {
  /** `MARGINALIA_OUTPUT` of the kernels. */
  readonly directory: string;
  /** The folder where a notebook's files are while it runs. */
  folder(id: string): string;
  /** Replaces the published folder of a notebook by the staged one; what stood there before stays until the new one is in place. */
  publish(id: string): void;
  /** Removes what was not published. */
  remove(): void;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/** Makes a staging folder inside the output folder, and removes those that killed runs left there. */
export function makeStaging(output: string): Staging {
  for (const name of readdirSync(output)) {
    const pid = /^\.unfinished-(\d+)$/.exec(name)?.[1];
    if (pid && !isRunning(Number(pid))) rmSync(join(output, name), { recursive: true, force: true });
  }
  const directory = join(output, `.unfinished-${process.pid}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  return {
    directory,
    folder: (id) => join(directory, id),
    publish(id) {
      const staged = join(directory, id);
      if (!existsSync(staged)) return;
      const published = join(output, id);
      const former = `${staged}.former`;
      mkdirSync(dirname(published), { recursive: true });
      if (existsSync(published)) renameSync(published, former);
      renameSync(staged, published);
      rmSync(former, { recursive: true, force: true });
    },
    remove() {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
