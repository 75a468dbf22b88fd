import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { DataFile } from "../../src/data/catalogue.js";
import { sha256 } from "../../src/data/verify.js";

/** A folder that lives as long as the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "marginalia-data-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An environment in which no data of this machine's user is visible. */
export function emptyEnvironment(): NodeJS.ProcessEnv & { MARGINALIA_DATA: string; MARGINALIA_CACHE: string } {
  const folder = temporaryFolder();
  return { MARGINALIA_DATA: join(folder, "data"), MARGINALIA_CACHE: join(folder, "cache") };
}

export function dataFile(name: string, content: Uint8Array, mirrors: readonly string[] = []): DataFile {
  return { name, bytes: content.length, sha256: sha256(content), mirrors };
}

export function put(folder: string, name: string, content: Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}
