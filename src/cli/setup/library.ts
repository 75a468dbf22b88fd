import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { withLock } from "../../../bin/lock.mjs";
import { interrupted, runChild } from "../children.js";
import { codeOf, Failure } from "../failure.js";
import { cacheDirectory, paths, venvPython } from "../paths.js";
import { formatBytes } from "../terminal.js";
import { readJson, sha256OfFile, sizeOf, writeWhole } from "./files.js";
import { cacheObstacle, NativeUnavailable, unwritable } from "./obstacle.js";
import type { StepProgress } from "./step.js";
import { lastLines, pipEnvironment, pipTrouble } from "./venv.js";
import { type Wheel, wheelPython } from "./wheel.js";

interface Manifest {
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
}

/** Where the library of a wheel lives: one folder per version, platform and checksum, shared by all clones of the project. */
export function libraryDirectory(wheel: Wheel, cache: string = cacheDirectory()): string {
  return join(cache, "native", `${wheel.version}-${process.platform}-${process.arch}-${wheel.sha256.slice(0, 8)}`);
}

/** Whether the cached library is there and its files have their right sizes. */
export function hasLibrary(directory: string): boolean {
  const manifest = readManifest(directory);
  return manifest?.files.every(({ path, bytes }) => sizeOf(join(directory, path)) === bytes) ?? false;
}

/** Whether the cached library's files still have the content that was taken out of the wheel. */
export async function libraryIsIntact(directory: string): Promise<boolean> {
  const manifest = readManifest(directory);
  if (!manifest || !hasLibrary(directory)) return false;
  for (const { path, sha256 } of manifest.files) {
    if ((await sha256OfFile(join(directory, path))) !== sha256) return false;
  }
  return true;
}

/**
 * Downloads and unpacks the library into the cache, unless it is there.
 *
 * Each part appears under its final name only when it is complete, so that a killed run leaves nothing that looks whole.
 *
 * @throws NativeUnavailable without space, permission or network, or if the download is not what was pinned.
 */
export async function installLibrary(wheel: Wheel, directory: string, progress: StepProgress): Promise<void> {
  if (hasLibrary(directory)) return;
  const obstacle = cacheObstacle(wheel);
  if (obstacle) throw new NativeUnavailable(obstacle);
  try {
    await withLock(
      `${directory}.lock`,
      async () => {
        if (hasLibrary(directory)) return;
        const file = await download(wheel, `${directory}.download`, progress);
        await unpack(file, directory, progress);
        rmSync(`${directory}.download`, { recursive: true, force: true });
      },
      {
        onWait: (pid) => progress.report(`another set-up (process ${pid}) is filling the cache; waiting for it`),
        signal: interrupted,
      },
    );
  } catch (error) {
    if (codeOf(error) && !(error instanceof Failure)) throw new NativeUnavailable(unwritable(cacheDirectory(), error));
    throw error;
  }
}

async function download(wheel: Wheel, folder: string, progress: StepProgress): Promise<string> {
  const finished = await wheelIn(folder, wheel);
  if (finished) return finished;
  rmSync(folder, { recursive: true, force: true });
  const temporary = join(folder, "tmp");
  mkdirSync(temporary, { recursive: true });
  const requirements = join(folder, "requirements.txt");
  writeWhole(requirements, `${wheel.requirement} --hash=sha256:${wheel.sha256}\n`);
  const watching = setInterval(() => {
    const bytes = Math.min(bytesBelow(folder), wheel.bytes);
    progress.report(
      `downloading libtensorflow, ${formatBytes(bytes)} of ${formatBytes(wheel.bytes)}`,
      bytes / wheel.bytes,
    );
  }, 250);
  const args = [
    "-m",
    "pip",
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",
    "--progress-bar=off",
    "--require-hashes",
    "-r",
    requirements,
    "--dest",
    folder,
    "--python-version",
    wheelPython.version,
    "--implementation",
    wheelPython.implementation,
    "--abi",
    wheelPython.abi,
    "--platform",
    wheel.platformTag,
  ];
  try {
    // pip keeps what it is downloading in TMPDIR: there it can be watched, and is never left behind elsewhere.
    const result = await runChild(venvPython, args, { environment: { ...pipEnvironment(), TMPDIR: temporary } });
    if (result.code !== 0) {
      rmSync(folder, { recursive: true, force: true });
      const { why, remedy } = pipTrouble(result.stderr);
      throw new NativeUnavailable({
        kind: "download",
        why: `libtensorflow could not be downloaded (${why})`,
        remedy: `${remedy} and run "npm run setup" again`,
        details: lastLines(result.stderr),
      });
    }
  } finally {
    clearInterval(watching);
  }
  const file = await wheelIn(folder, wheel);
  if (file) return file;
  throw new NativeUnavailable({
    kind: "download",
    why: `the download of ${wheel.requirement} is not the file that was pinned`,
  });
}

/** The wheel in a folder, if it is there and has the right content. */
async function wheelIn(folder: string, wheel: Wheel): Promise<string | undefined> {
  if (!existsSync(folder)) return undefined;
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith(".whl"))) {
    const file = join(folder, name);
    if (sizeOf(file) === wheel.bytes && (await sha256OfFile(file)) === wheel.sha256) return file;
  }
  return undefined;
}

function bytesBelow(folder: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) bytes += lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch {
    // pip is removing its temporary folder: the next look will be right.
  }
  return bytes;
}

async function unpack(wheelFile: string, directory: string, progress: StepProgress): Promise<void> {
  for (const name of readdirSync(dirname(directory))) {
    const left = name.startsWith(basename(directory)) && name.endsWith(".partial");
    if (left) rmSync(join(dirname(directory), name), { recursive: true, force: true });
  }
  // A name of its own: the child of a killed run may still be writing to another.
  const partial = `${directory}.${process.pid}.partial`;
  const result = await runChild(venvPython, [join(paths.python, "unpack_wheel.py"), wheelFile, partial], {
    environment: pipEnvironment(),
    onStdout(line) {
      const [done, all] = line.split(" ").map(Number);
      if (done && all) progress.report("unpacking libtensorflow", done / all);
    },
  });
  if (result.code !== 0) {
    const full = /No space left/.test(result.stderr);
    throw new NativeUnavailable({
      kind: full ? "disk" : "download",
      why: full ? `the disk of ${directory} is full` : "libtensorflow could not be unpacked",
      details: lastLines(result.stderr),
    });
  }
  progress.report("checking libtensorflow");
  const lib = join(partial, "lib");
  const names = readdirSync(lib);
  const files = [];
  for (const name of names) {
    const file = join(lib, name);
    files.push({ path: `lib/${name}`, bytes: sizeOf(file) ?? 0, sha256: await sha256OfFile(file) });
  }
  for (const name of names) {
    if (linkName(name) !== name) symlinkSync(name, join(lib, linkName(name)));
  }
  writeWhole(join(partial, "manifest.json"), JSON.stringify({ files } satisfies Manifest));
  rmSync(directory, { recursive: true, force: true });
  renameSync(partial, directory);
}

/** The name under which binding.gyp links a library: `libtensorflow_cc.so.2` as `libtensorflow.so`. */
export function linkName(library: string): string {
  return library.replace("tensorflow_cc", "tensorflow").replace(/\.so\.2$/, ".so");
}

function readManifest(directory: string): Manifest | undefined {
  const manifest = readJson(join(directory, "manifest.json")) as Partial<Manifest> | undefined;
  return Array.isArray(manifest?.files) ? (manifest as Manifest) : undefined;
}
