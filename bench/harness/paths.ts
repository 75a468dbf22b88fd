import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder `bench/`, of which this file is part, as it was written or compiled. */
export const bench = folderOfBench(dirname(fileURLToPath(import.meta.url)));

function folderOfBench(folder: string): string {
  return existsSync(`${folder}/requirements.lock`) ? folder : folderOfBench(dirname(folder));
}
