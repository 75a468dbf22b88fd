import { availableParallelism } from "node:os";
import { relative, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { writeJson } from "../../notebook/files.js";
import { writeLedger } from "../../notebook/ledger.js";
import { type Profile, profiles } from "../../notebook/profile.js";
import { writeReport } from "../../notebook/report.js";
import { Failure, UsageFailure } from "../failure.js";
import { outputDirectory, paths } from "../paths.js";
import { setUp } from "../setup/setup.js";
import { formatDuration, formatTable, liveLines } from "../terminal.js";
import { estimatedSeconds } from "./record.js";
import { quickLimit, reproduce } from "./reproduce.js";
import type { NotebookResult, ResultFile } from "./result.js";
import { type Notebook, readShelf, selectNotebooks } from "./shelf.js";
import { claimsTable, countClaims, notebooksTable } from "./summary.js";

interface Flags {
  readonly profile: Profile;
  readonly list?: true;
  readonly jobs: number;
  readonly resume?: true;
  readonly save?: true;
  readonly timeout?: number;
  readonly timeLimit?: number;
  readonly output?: string;
  readonly notebooks: string;
  readonly json?: string;
  readonly setup: boolean;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError("Give a number of seconds above 0.");
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("Give a whole number, 1 or more.");
  return value;
}

/** Seconds that the quick profile allows: 25, times `MARGINALIA_TIME_FACTOR` on a slow machine, or as `--time-limit` says. */
export function quickSeconds(given: number | undefined, environment: NodeJS.ProcessEnv = process.env): number {
  if (given !== undefined) return given;
  const text = environment.MARGINALIA_TIME_FACTOR;
  if (!text) return quickLimit;
  const factor = Number(text);
  if (!(factor > 0 && Number.isFinite(factor))) {
    throw new UsageFailure(
      `MARGINALIA_TIME_FACTOR is "${text}": give a number above 0, such as 2 for a machine half as fast.`,
    );
  }
  return quickLimit * factor;
}

function limitOf(flags: Flags): number {
  if (flags.profile !== "quick") {
    if (flags.timeLimit !== undefined) {
      throw new UsageFailure(`--time-limit belongs to the quick profile: use --timeout with ${flags.profile}.`);
    }
    return flags.timeout ?? Number.POSITIVE_INFINITY;
  }
  return Math.min(quickSeconds(flags.timeLimit), flags.timeout ?? Number.POSITIVE_INFINITY);
}

/** The list of notebooks with the time each takes in each profile. */
export function listTable(notebooks: readonly Notebook[]): string {
  const times = notebooks.map((notebook) => profiles.map((profile) => estimatedSeconds(profile, notebook)));
  const show = (seconds: number | undefined): string => (seconds === undefined ? "?" : formatDuration(seconds));
  const totals = profiles.map((_, i) => {
    const column = times.map((row) => row[i]);
    return column.every((seconds) => seconds !== undefined) ? column.reduce((sum, s) => sum + s, 0) : undefined;
  });
  return formatTable(
    [
      { title: "Notebook" },
      { title: "Title", maxWidth: 60 },
      ...profiles.map((title) => ({ title, align: "right" as const })),
    ],
    [
      ...notebooks.map((notebook, i) => [notebook.id, notebook.title, ...times[i]!.map(show)]),
      ["all", "", ...totals.map(show)],
    ],
  );
}

/** Judges a shelf that has run: one sentence if a notebook or a claim failed, else undefined. */
export function verdictOf(results: readonly NotebookResult[]): string | undefined {
  const broken = results.filter((result) => result.status === "failed");
  const claims = results.filter((result) => result.status === "claims failed");
  const name = (list: readonly NotebookResult[]): string => list.map(({ id }) => id).join(", ");
  const sentences = [
    ...(broken.length > 0
      ? [
          `${broken.length === 1 ? "A notebook" : `${broken.length} notebooks`} did not run to the end: ${name(broken)}.`,
        ]
      : []),
    ...(claims.length > 0 ? [`Claims failed in ${name(claims)}.`] : []),
  ];
  return sentences.length === 0 ? undefined : sentences.join(" ");
}

function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short && !short.startsWith("..") ? short : path;
}

async function run(words: readonly string[], flags: Flags): Promise<void> {
  const shelf = readShelf(flags.notebooks);
  const notebooks = selectNotebooks(shelf, words);
  if (flags.list) {
    process.stdout.write(`${listTable(notebooks)}\n`);
    return;
  }
  const limit = limitOf(flags);
  if (flags.save && flags.profile !== "standard") {
    throw new UsageFailure("--save keeps the outputs of the standard profile only: leave out --profile, or --save.");
  }
  if (flags.setup) await setUp();
  const output = flags.output === undefined ? outputDirectory() : resolve(flags.output);
  const results = await reproduce({
    notebooks,
    profile: flags.profile,
    output,
    jobs: flags.jobs,
    limit,
    resume: flags.resume === true,
    save: flags.save === true,
    live: liveLines(),
  });
  const ledger = { output, notebooks: flags.notebooks };
  await writeLedger(ledger);
  const report = await writeReport(ledger);
  const claims = results.flatMap((result) => (result.claims ? [result.claims] : []));
  process.stdout.write(`\n${notebooksTable(results)}\n\n`);
  process.stdout.write(`${claimsTable(claims)}\n${countClaims(claims.flatMap((file) => file.claims))}\n\n`);
  process.stdout.write(
    `Figures, tables and claims are in ${shortPath(output)}, all on one page in ${shortPath(report)}.\n`,
  );
  if (flags.json !== undefined) {
    const file: ResultFile = { profile: flags.profile, notebooks: results };
    await writeJson(resolve(flags.json), file);
  }
  const sentence = verdictOf(results);
  if (sentence !== undefined) throw new Failure(sentence);
}

/** `marginalia reproduce`: runs notebooks and judges their claims. */
export function reproduceCommand(): Command {
  return new Command("reproduce")
    .description("re-run the notebooks and judge their claims")
    .argument("[selection...]", "a paper (iwae), a notebook (iwae/01), or several; everything if left out")
    .addOption(
      new Option(
        "-p, --profile <profile>",
        "how much to compute: quick (seconds), standard (minutes) or full (the paper's settings, hours)",
      )
        .choices(profiles)
        .default("standard"),
    )
    .option("-l, --list", "list notebooks, their titles and the time each takes, and run none")
    .option(
      "-j, --jobs <n>",
      "notebooks that run at the same time",
      count,
      Math.max(1, Math.floor(availableParallelism() / 4)),
    )
    .option("-r, --resume", "keep what passed before with the same code in the same profile, run the rest")
    .option("--save", "write text and PNG outputs of the standard profile back into the notebooks")
    .option("--timeout <seconds>", "end a notebook that takes longer", positive)
    .option(
      "--time-limit <seconds>",
      `seconds a notebook may take in the quick profile (default ${quickLimit}, times MARGINALIA_TIME_FACTOR if set)`,
      positive,
    )
    .option(
      "-o, --output <folder>",
      "folder for figures, tables and claims (default: MARGINALIA_OUTPUT, else figures/)",
    )
    .addOption(
      new Option("--notebooks <folder>", "another shelf: a folder of <paper>/<name>.ipynb").default(
        paths.notebooks,
        "notebooks/",
      ),
    )
    .option("--json <file>", "also write the results to a JSON file")
    .option("--no-setup", "do not check that everything is set up")
    .addHelpText(
      "after",
      `
Examples:
  marginalia reproduce                       the whole shelf, some minutes a notebook
  marginalia reproduce iwae/01 -p quick      one notebook in seconds
  marginalia reproduce iwae -p full --resume hours; after Ctrl-C the same line goes on where it stopped

Executed copies are kept in .marginalia/runs/<profile>/. Exit code 0 means that every notebook ran and no claim failed.`,
    )
    .action(async (words: string[], flags: Flags) => run(words, flags));
}
