/** Files written whole or not at all. */
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

let written = 0;

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

/**
 * Writes a file so that a reader, or a crash at any moment, sees the old content or the new one and never half of it; makes its folder.
 *
 * @throws Error with one sentence if the folder or file cannot be written.
 */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${process.pid}-${written++}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const code = (error as NodeJS.ErrnoException).code ?? "";
    throw new Error(
      `Cannot write ${path}: ${reasons[code] ?? String(error)}. Choose another folder with MARGINALIA_OUTPUT, or free this one.`,
      { cause: error },
    );
  }
}

/** Writes a value as indented JSON with a final newline, atomically. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeAtomically(path, `${JSON.stringify(value, null, 2)}\n`);
}
