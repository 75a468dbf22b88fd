import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeJson } from "../../notebook/files.js";
import type { Profile } from "../../notebook/profile.js";
import { paths } from "../paths.js";
import { type Notebook, readNotebook, sourceOf } from "./shelf.js";

/** What is remembered of a notebook's last run in a profile, in `.marginalia/runs/<profile>/<id>.json`. */
export interface RunRecord {
  readonly passed: boolean;
  readonly seconds: number;
  /** Hash of the cells' sources and of the compiled library. */
  readonly sources: string;
  /** ISO 8601, UTC. */
  readonly finishedAt: string;
  /** When the run that wrote the claims began, as in its `claims.json`; absent if it wrote none. */
  readonly claimsStartedAt?: string;
}

/** The folder of executed copies and records of a profile. */
export function runsDirectory(profile: Profile): string {
  return join(paths.state, "runs", profile);
}

/** The executed copy of a notebook. */
export function executedPath(profile: Profile, notebook: Notebook): string {
  return join(runsDirectory(profile), `${notebook.id}.ipynb`);
}

function recordPath(profile: Profile, notebook: Notebook): string {
  return join(runsDirectory(profile), `${notebook.id}.json`);
}

/** The record of the last run, or undefined where there is none that can be read. */
export function readRecord(profile: Profile, notebook: Notebook): RunRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordPath(profile, notebook), "utf8")) as RunRecord;
  } catch {
    return undefined;
  }
}

/** Remembers a run. */
export async function writeRecord(profile: Profile, notebook: Notebook, record: RunRecord): Promise<void> {
  await writeJson(recordPath(profile, notebook), record);
}

/** Hash of the compiled library but for its commands, which do not change a notebook's numbers. */
export function libraryHash(dist: string = paths.dist): string {
  const hash = createHash("sha256");
  const files = readdirSync(dist, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".js") && !/^cli[\\/]/.test(name))
    .sort();
  for (const file of files)
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(dist, file)))
      .update("\0");
  return hash.digest("hex");
}

/** Hash of a notebook's code and of the library it runs on; prose and outputs do not count. */
export function sourcesHash(notebook: Notebook, library: string): string {
  const hash = createHash("sha256").update(library);
  for (const cell of readNotebook(notebook.path).cells) {
    if (cell.cell_type === "code") hash.update("\0").update(sourceOf(cell));
  }
  return hash.digest("hex");
}

/** Seconds that a run is expected to take: as on this machine the last time, else what the notebook says; undefined if neither is known. */
export function estimatedSeconds(profile: Profile, notebook: Notebook): number | undefined {
  const record = readRecord(profile, notebook);
  if (record?.passed) return record.seconds;
  const minutes = notebook.minutes[profile];
  return minutes === undefined ? undefined : minutes * 60;
}
