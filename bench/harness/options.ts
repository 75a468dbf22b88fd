import { parseArgs } from "node:util";
import { messageOf, UsageFailure } from "../../src/cli/failure.js";
import { topicLibraries } from "./topicsFits.js";

/** The parts of a run, in the order in which they are done. */
export const parts = ["check", "steps", "start", "topics", "machine", "scaling"] as const;
const usual = ["check", "steps", "start", "topics"];

/** What this library is compared with. */
export const others = ["jax", "torch", ...topicLibraries] as const;

/** The workloads in the benchmark's order, and what a table calls them. */
export const titles: Readonly<Record<string, string>> = {
  sivi: "1 SIVI toy",
  uivi: "2 UIVI toy",
  iwae: "3 IWAE",
  vae: "4 VAE",
  "mean-field": "5 mean-field",
  "full-rank": "5 full-rank",
  iwhvi: "6 IWHVI",
};

export const usage = `Usage: npm run bench -- [${parts.join("|")} …] [options]

  check    do the frameworks compute the same losses and gradients?
  steps    time of a step, warm                                  → steps.csv, ratios.csv, steps.svg, steps.png
  start    time from a process's start to its first step's end   → start.csv
  topics   online LDA over AP: held-out score against seconds     → topics.csv, topics-times.csv, topics-settings.csv
  machine  matrix products, memory, price of an empty call       → machine.csv
  scaling  time of a step against K, S, batch and width          → scaling.csv, scaling.svg, scaling.png

Without a part: ${usual.join(", ")}.

  --only <a,b>      workloads: ${Object.keys(titles).join(", ")}
  --seeds <n>       fits of each library in topics (5)
  --tuning-seeds <n>  fits of each library with every setting in topics, to choose one (2)
  --rounds <n>      turns of each framework (5)
  --seconds <s>     seconds of a turn (0.5)
  --out <folder>    where results are written (bench/results)
  --without <a,b>   frameworks to leave out: ${others.join(", ")}
  --no-build        take dist/ as it is`;

/** What the command line asks for. */
export interface Options {
  readonly parts: readonly string[];
  /** Whether no part was named. */
  readonly usual: boolean;
  readonly workloads: readonly string[];
  readonly without: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly seeds: number;
  readonly tuningSeeds: number;
  readonly out: string | undefined;
  readonly help: boolean;
}

/** @throws UsageFailure naming what is unknown or out of range. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const asked = known("part", positionals, parts);
  return {
    parts: asked.length > 0 ? asked : usual,
    usual: asked.length === 0,
    workloads:
      values.only === undefined ? Object.keys(titles) : known("workload", list(values.only), Object.keys(titles)),
    without: known("framework", list(values.without), others),
    rounds: positive("--rounds", values.rounds, Number.isInteger),
    seconds: positive("--seconds", values.seconds, Number.isFinite),
    seeds: positive("--seeds", values.seeds, Number.isInteger),
    tuningSeeds: positive("--tuning-seeds", values["tuning-seeds"], Number.isInteger),
    out: values.out,
    help: values.help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        only: { type: "string" },
        rounds: { type: "string", default: "5" },
        seconds: { type: "string", default: "0.5" },
        seeds: { type: "string", default: "5" },
        "tuning-seeds": { type: "string", default: "2" },
        out: { type: "string" },
        without: { type: "string", default: "" },
        "no-build": { type: "boolean" }, // read by what compiles this
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new UsageFailure(messageOf(error).split("\n")[0]!);
  }
}

function list(text: string): string[] {
  return text.split(",").map((item) => item.trim());
}

/** The names without repetition, in their usual order. */
function known(kind: string, names: readonly string[], all: readonly string[]): string[] {
  const unknown = names.find((name) => name !== "" && !all.includes(name));
  if (unknown !== undefined) throw new UsageFailure(`There is no ${kind} "${unknown}": choose from ${all.join(", ")}.`);
  return all.filter((name) => names.includes(name));
}

function positive(name: string, text: string, fits: (value: number) => boolean): number {
  const value = Number(text);
  if (fits(value) && value > 0) return value;
  throw new UsageFailure(
    `${name} must be a positive ${fits === Number.isInteger ? "integer" : "number"}, not "${text}".`,
  );
}
