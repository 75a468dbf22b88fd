import { Command, InvalidArgumentError } from "commander";
import { throwIfInterrupted } from "../children.js";
import { Failure, messageOf } from "../failure.js";
import { setUp } from "../setup/setup.js";
import { formatDuration, formatTable, liveLines, paint } from "../terminal.js";
import { arrows } from "./arrows.js";
import { cells } from "./cells.js";
import { docs } from "./docs.js";
import { kernel } from "./kernel.js";
import { notebooks } from "./notebooks.js";
import { type Counts, type Stage, sum } from "./stage.js";
import { style } from "./style.js";
import { types } from "./types.js";
import { endToEnd, unit } from "./vitest.js";

/** Every stage, the quick ones first. */
export const stages: readonly Stage[] = [
  style,
  types,
  arrows,
  cells,
  docs,
  unit,
  kernel,
  notebooks,
  endToEnd("bad-input", "badInput.test.ts", "what goes wrong ends in one sentence and leaves nothing behind"),
  endToEnd("plain-tslab", "plainTslab.test.ts", "a notebook under tslab's own kernel, judged by its claims"),
  endToEnd("browser", "jupyterlab.test.ts", "JupyterLab in headless Chromium (skipped where there is none)"),
];

/** The last line of a test run: `12 passed, 0 failed`, and `, 1 skipped` if there are any. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Runs one stage; one that cannot run is one failure. */
export async function runStage(stage: Stage): Promise<Counts> {
  try {
    return await stage.run();
  } catch (error) {
    throwIfInterrupted();
    const details = error instanceof Failure && error.details ? `\n${error.details}` : "";
    return { passed: 0, failed: 1, skipped: 0, notes: [`could not run: ${messageOf(error)}${details}`] };
  }
}

function parseOnly(name: string, earlier: readonly Stage[] = []): readonly Stage[] {
  const stage = stages.find((known) => known.name === name);
  if (!stage) throw new InvalidArgumentError(`The stages are ${stages.map((known) => known.name).join(", ")}.`);
  return [...earlier, stage];
}

async function run(selected: readonly Stage[]): Promise<void> {
  await setUp();
  const live = liveLines();
  const all: Counts[] = [];
  const started = performance.now();
  const since = (start: number): string => formatDuration((performance.now() - start) / 1000);
  for (const stage of selected) {
    throwIfInterrupted();
    const stageStarted = performance.now();
    const tick = (): void => live.set([`… ${stage.name}: ${stage.description} (${since(stageStarted)})`]);
    tick();
    const timer = setInterval(tick, 1000);
    const counts = await runStage(stage).finally(() => {
      clearInterval(timer);
      live.clear();
    });
    all.push(counts);
    const mark = counts.failed > 0 ? paint("red", "✗") : paint("green", "✓");
    process.stdout.write(`${mark} ${stage.name}: ${closingLine(counts)} (${since(stageStarted)})\n`);
    for (const note of counts.notes) process.stdout.write(`${note.trimEnd().replace(/^/gm, "    ")}\n`);
  }
  const total = sum(all);
  process.stdout.write(`\nReports are in .marginalia/test; it took ${since(started)}.\n${closingLine(total)}\n`);
  if (total.failed > 0) process.exitCode = 1;
}

/** `marginalia test`: everything that has to hold before a change is good. */
export function testCommand(): Command {
  return new Command("test")
    .description("run the project's tests")
    .option("--only <stage>", "run one stage; may be given again", parseOnly)
    .option("-l, --list", "list the stages and run none")
    .addHelpText(
      "after",
      `
The last line counts what passed, failed and was skipped, as the runners report it. A stage that cannot run counts as failed.

Examples:
  $ marginalia test
  $ marginalia test --only style --only types`,
    )
    .action(async (flags: { readonly only?: readonly Stage[]; readonly list?: true }) => {
      if (flags.list) {
        const rows = stages.map(({ name, description }) => [name, description]);
        process.stdout.write(`${formatTable([{ title: "Stage" }, { title: "What it tests" }], rows)}\n`);
        return;
      }
      await run(flags.only ?? stages);
    });
}
