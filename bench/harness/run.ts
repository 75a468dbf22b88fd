import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Failure } from "../../src/cli/failure.js";
import { type Column, formatTable } from "../../src/cli/terminal.js";
import { check } from "./check.js";
import { scalingChart, stepsChart, writeFigure } from "./figures.js";
import { type Framework, names, startFrameworks } from "./frameworks.js";
import { measureMachine } from "./machine.js";
import { type Options, readOptions, titles, usage } from "./options.js";
import { bench } from "./paths.js";
import { program } from "./program.js";
import { describeEnvironment, openFolder, short, toCsv } from "./results.js";
import { timeScaling } from "./scaling.js";
import { started, timeStarts } from "./start.js";
import { ratios, type Timed, timeSteps } from "./steps.js";
import { timeTopics } from "./topics.js";
import { missingAp } from "./topicsCorpus.js";

/** One run: its options, its frameworks, its folder, and the file at which each workload starts. */
interface Run extends Options {
  readonly frameworks: readonly Framework[];
  readonly folder: string;
  readonly files: { readonly [workload: string]: string };
}

/** The benchmark's command. */
export function main(args: readonly string[]): Promise<number> {
  return program(async () => {
    const options = readOptions(args);
    if (options.help) return say(usage);
    const folder = resolve(options.out ?? `${bench}/results`);
    openFolder(folder);
    const stepping = options.parts.some((part) => part !== "topics");
    const frameworks = stepping ? await startFrameworks(options.without) : [];
    try {
      const environment = describeEnvironment(frameworks);
      if (stepping) writeFileSync(join(folder, "environment.json"), `${JSON.stringify(environment, null, 2)}\n`);
      const { processor, cores, load, versions } = environment;
      say([`${processor}, ${cores} cores, load ${load}`, ...Object.values(versions)].join("; "));
      const files: Record<string, string> = {};
      if (stepping) {
        for (const workload of options.workloads) files[workload] = await writeStart(frameworks, workload, {});
      }
      const run: Run = { ...options, frameworks, folder, files };
      for (const part of options.parts) await does[part](run);
      say(`\nWritten to ${folder}`);
    } finally {
      await Promise.all(frameworks.map((framework) => framework.stop()));
    }
  });
}

const does: Readonly<Record<string, (run: Run) => Promise<void>>> = {
  check: async ({ workloads, frameworks, files }) => {
    const rows = [];
    for (const workload of workloads) {
      report(`mathematics of ${titles[workload]}`);
      rows.push(...(await check(frameworks, workload, files[workload])));
    }
    say("\nRelative differences from this library run eagerly, all given the same noise");
    const columns = [...wayColumns, right("losses"), right("gradient"), { title: "" }];
    const verdict = (agrees: boolean, note?: string): string => note ?? (agrees ? "agrees" : "DIFFERS");
    const exact = (value?: number): string => value?.toExponential(1) ?? "–";
    say(
      formatTable(
        columns,
        rows.map((r) => [...way(r), exact(r.loss), exact(r.gradient), verdict(r.agrees, r.note)]),
      ),
    );
    const other = rows.find(({ agrees, note }) => !agrees && !note);
    if (other)
      throw new Failure(`${way(other).join(", ")}: computes something else, so its times would compare nothing.`);
  },

  steps: async ({ workloads, frameworks, files, folder, rounds, seconds }) => {
    const rows: Timed[] = [];
    for (const workload of workloads) {
      report(`steps of ${titles[workload]}`);
      rows.push(...(await timeSteps(frameworks, { workload, file: files[workload], rounds, seconds })));
      writeFileSync(join(folder, "steps.csv"), toCsv(rows)); // what there is, should the run be stopped
    }
    say("\nMilliseconds a step, warm; the first call apart");
    const columns = [...wayColumns, ...["median", "quartiles", "least", "first", "n"].map(right), { title: "" }];
    const cells = (r: Timed): string[] => [
      ...way(r),
      short(r.median),
      `${short(r.low)}–${short(r.high)}`,
      short(r.min),
      short(r.first),
      String(r.n ?? 0),
      r.note ?? "",
    ];
    say(formatTable(columns, rows.map(cells)));
    const compared = ratios(rows);
    writeFileSync(join(folder, "ratios.csv"), toCsv(compared));
    if (compared.length > 0) {
      say("\nThis library's time over the other's: below 1 it is ahead");
      const columns = [...wayColumns, { title: "ours" }, right("of medians"), right("of least")];
      say(
        formatTable(
          columns,
          compared.map((r) => [...way(r), r.ours, r.ofMedians.toFixed(2), r.ofLeast.toFixed(2)]),
        ),
      );
    }
    await writeFigure(folder, "steps", stepsChart(rows));
  },

  start: async ({ workloads, frameworks, files, folder }) => {
    const rows: Timed[] = [];
    for (const workload of workloads.filter((name) => started.includes(name))) {
      report(`start of ${titles[workload]}`);
      rows.push(...(await timeStarts(frameworks, { workload, file: files[workload], rounds: 3 })));
    }
    writeFileSync(join(folder, "start.csv"), toCsv(rows));
    say("\n7 Seconds from a process's start to the end of its first step");
    const columns = [...wayColumns, right("median"), right("least"), { title: "" }];
    say(
      formatTable(
        columns,
        rows.map((r) => [...way(r), short(r.median), short(r.min), r.note ?? ""]),
      ),
    );
  },

  topics: async ({ folder, seeds, tuningSeeds, without, usual }) => {
    const missing = missingAp();
    if (missing && usual) return say(`\n${missing}`);
    const { versions, settings, points, times } = await timeTopics({ seeds, tuningSeeds, without, report });
    writeFileSync(join(folder, "topics-settings.csv"), toCsv(settings));
    writeFileSync(join(folder, "topics.csv"), toCsv(points));
    writeFileSync(join(folder, "topics-times.csv"), toCsv(times));
    say(
      `\nOnline LDA over AP (${versions.join(", ")}): seconds of training until a held-out token's log-probability is reached`,
    );
    const columns = [
      { title: "level" },
      right("nats"),
      { title: "" },
      ...["S", "κ", "τ", "median", "least", "most", "reached"].map(right),
    ];
    say(
      formatTable(
        columns,
        times.map((r) => {
          const { size, kappa, tau } = settings.find(({ library, chosen }) => library === r.library && chosen)!;
          return [
            r.level,
            r.heldOut.toFixed(3),
            r.library,
            ...[size, kappa, tau].map(String),
            short(r.median),
            short(r.least),
            short(r.most),
            `${r.reached} of ${r.n}`,
          ];
        }),
      ),
    );
  },

  machine: async ({ frameworks, folder, seconds }) => {
    report("what the machine gives");
    const rows = await measureMachine(frameworks, { seconds });
    writeFileSync(join(folder, "machine.csv"), toCsv(rows));
    say("\nWhat bounds a step, as each framework reaches it");
    const columns = [{ title: "" }, { title: "unit" }, { title: "" }, right("best"), right("median")];
    say(
      formatTable(
        columns,
        rows.map((r) => [r.what, r.unit, names[r.framework], short(r.best), short(r.median)]),
      ),
    );
  },

  scaling: async (run) => {
    const { frameworks, folder } = run;
    const rows = await timeScaling(frameworks, {
      ...run,
      report,
      writeStart: (...start) => writeStart(frameworks, ...start),
    });
    writeFileSync(join(folder, "scaling.csv"), toCsv(rows));
    if (rows.length > 0) await writeFigure(folder, "scaling", scalingChart(rows));
  },
};

/** Has this library write where a workload starts, for all frameworks; returns the file. */
async function writeStart(
  [library]: readonly Framework[],
  workload: string,
  sizes: { readonly [size: string]: number },
): Promise<string> {
  mkdirSync(`${bench}/.data`, { recursive: true });
  const changed = Object.entries(sizes).map(([size, value]) => `-${size}-${value}`);
  const file = `${bench}/.data/${workload}${changed.join("")}.safetensors`;
  await library.ask({ do: "write", file, workload, sizes });
  return file;
}

const right = (title: string): Column => ({ title, align: "right" });
const wayColumns: readonly Column[] = [{ title: "workload" }, { title: "" }, { title: "" }];

function way({ workload, framework, variant }: { workload: string; framework: string; variant: string }): string[] {
  return [titles[workload], names[framework], variant];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function report(line: string): void {
  process.stderr.write(`… ${line}\n`);
}
