import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { ClaimsFile } from "../../notebook/claim.js";
import { readClaims } from "../../notebook/ledger.js";
import type { Profile } from "../../notebook/profile.js";
import { formatDuration, hasColour, type LiveLines, paint } from "../terminal.js";
import { type NotebookRun, runNotebook } from "./notebookRun.js";
import { checkWritable, makeStaging, type Staging } from "./output.js";
import { renderFolder } from "./pdf.js";
import { ShelfProgress } from "./progress.js";
import { estimatedSeconds, executedPath, libraryHash, readRecord, sourcesHash, writeRecord } from "./record.js";
import type { NotebookResult } from "./result.js";
import { saveOutputs } from "./save.js";
import type { Notebook } from "./shelf.js";
import { countClaims, resultWords } from "./summary.js";

/** Seconds that a notebook may take in the quick profile, kernel start included, on the two cores of a CI machine. */
export const quickLimit = 25;

/** How to run a selection of notebooks. */
export interface ReproduceOptions {
  readonly notebooks: readonly Notebook[];
  readonly profile: Profile;
  /** Folder for figures, tables and claims. */
  readonly output: string;
  /** Notebooks that run at the same time. */
  readonly jobs: number;
  /** Seconds for each notebook; Infinity for none. */
  readonly limit: number;
  /** Keeps what already passed in this profile with the same code and library. */
  readonly resume: boolean;
  /** Writes text and PNG outputs back to the notebooks that passed. */
  readonly save: boolean;
  readonly live: LiveLines;
}

function status(run: NotebookRun, claims: ClaimsFile | undefined): NotebookResult["status"] {
  // `finish()` writes the ledger, says that it is finished, and only then throws for a failed claim.
  if (claims?.finished && claims.claims.some((claim) => claim.verdict === "failed")) return "claims failed";
  return run.failure === undefined ? "passed" : "failed";
}

/** The estimated length of a run in a sentence, before it starts. */
export function announce(notebooks: readonly Notebook[], profile: Profile, jobs: number): string {
  const estimates = notebooks.map((notebook) => estimatedSeconds(profile, notebook));
  const known = estimates.filter((seconds) => seconds !== undefined);
  const total = known.reduce((sum, seconds) => sum + seconds, 0) / Math.min(jobs, Math.max(1, known.length));
  const count = `${notebooks.length} ${notebooks.length === 1 ? "notebook" : "notebooks"} in the ${profile} profile`;
  if (known.length === 0) return `${count}; how long it takes is not known yet.`;
  const unknown = estimates.length - known.length;
  return `${count}, about ${formatDuration(total)}${unknown ? `, and ${unknown} whose time is not known yet` : ""}.`;
}

/**
 * Runs notebooks and publishes what each one makes as soon as it has ended: its figures, tables and claims appear together or not at all.
 *
 * Goes on after a notebook that fails. Results come in the order of the notebooks.
 *
 * @throws Failure if the output folder cannot be written.
 * @throws Interrupted after Ctrl-C: what had ended is kept and recorded, what was running is removed.
 */
export async function reproduce(options: ReproduceOptions): Promise<NotebookResult[]> {
  const { notebooks, profile, output, live } = options;
  checkWritable(output);
  const library = libraryHash();
  const results = new Map<string, NotebookResult>();
  const pending: Notebook[] = [];
  for (const notebook of notebooks) {
    const kept = options.resume ? await keptResult(notebook, profile, output, library) : undefined;
    if (kept) results.set(notebook.id, kept);
    else pending.push(notebook);
  }
  if (results.size > 0) live.log(`${results.size} of ${notebooks.length} passed earlier and are kept.`);
  if (pending.length > 0) {
    live.log(announce(pending, profile, options.jobs));
    const estimates = new Map(pending.map((notebook) => [notebook.id, estimatedSeconds(profile, notebook)]));
    const progress = new ShelfProgress(live, pending, estimates, options.jobs);
    const staging = makeStaging(output);
    const queue = [...pending];
    const work = async (): Promise<void> => {
      for (let notebook = queue.shift(); notebook; notebook = queue.shift()) {
        progress.start(notebook.id);
        results.set(notebook.id, await reproduceOne(notebook, library, staging, progress, options));
      }
    };
    try {
      const workers = await Promise.allSettled(Array.from({ length: Math.min(options.jobs, pending.length) }, work));
      for (const worker of workers) if (worker.status === "rejected") throw worker.reason;
    } finally {
      progress.stop();
      staging.remove();
    }
  }
  return notebooks.map(({ id }) => results.get(id)!);
}

async function claimsIn(folder: string): Promise<ClaimsFile | undefined> {
  const file = join(folder, "claims.json");
  return existsSync(file) ? readClaims(file) : undefined;
}

async function keptResult(
  notebook: Notebook,
  profile: Profile,
  output: string,
  library: string,
): Promise<NotebookResult | undefined> {
  const record = readRecord(profile, notebook);
  if (!record?.passed || record.sources !== sourcesHash(notebook, library)) return undefined;
  // The figures in this folder must be those of that run, not of another profile or another folder.
  const claims = await claimsIn(join(output, notebook.id));
  if (record.claimsStartedAt !== claims?.startedAt) return undefined;
  return { id: notebook.id, status: "kept", seconds: record.seconds, ...(claims && { claims }) };
}

async function reproduceOne(
  notebook: Notebook,
  library: string,
  staging: Staging,
  progress: ShelfProgress,
  options: ReproduceOptions,
): Promise<NotebookResult> {
  const { profile } = options;
  const sources = sourcesHash(notebook, library);
  const folder = staging.folder(notebook.id);
  const executed = executedPath(profile, notebook);
  const run = await runNotebook(notebook, {
    profile,
    output: staging.directory,
    executed,
    limit: options.limit,
    onEvent: (event) => progress.event(notebook.id, event),
  });
  const claims = await claimsIn(folder);
  const result: NotebookResult = {
    id: notebook.id,
    status: status(run, claims),
    seconds: run.seconds,
    ...(run.failure !== undefined && { failure: run.failure }),
    ...(claims && { claims }),
  };
  const passed = result.status === "passed";
  if (result.status === "failed") {
    // What an unfinished notebook drew is no result: the earlier figures stay.
    rmSync(folder, { recursive: true, force: true });
  } else {
    await renderFolder(folder);
    staging.publish(notebook.id);
  }
  if (passed && options.save) await saveOutputs(notebook, executed, run.seconds);
  await writeRecord(profile, notebook, {
    passed,
    seconds: run.seconds,
    sources,
    finishedAt: new Date().toISOString(),
    ...(claims && { claimsStartedAt: claims.startedAt }),
  });
  progress.finish(notebook.id, finishedLine(result, run));
  return result;
}

function finishedLine(result: NotebookResult, run: NotebookRun): string {
  const claims = result.claims && result.status !== "failed" ? `  ${countClaims(result.claims.claims)}` : "";
  const line = `${result.id}  ${formatDuration(result.seconds)}  ${resultWords(result)}${claims}`;
  if (result.failure === undefined) return line;
  return [
    line,
    `  ${paint("bold", result.failure)}`,
    ...(run.details ? [hasColour(process.stderr) ? run.details : stripVTControlCharacters(run.details)] : []),
  ].join("\n");
}
