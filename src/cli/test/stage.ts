import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type ChildOptions, type ChildResult, runChild } from "../children.js";
import { paths, projectDirectory } from "../paths.js";

/** What a stage counted, from the report of the program that ran the tests. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What failed and what was skipped, with why; one entry each. */
  readonly notes: readonly string[];
}

/** One kind of test. */
export interface Stage {
  readonly name: string;
  readonly description: string;
  /** @throws if the stage cannot run, which counts as a failure. */
  run(): Promise<Counts>;
}

/** Reports, logs and screenshots of the last test run. */
export const reportDirectory: string = join(paths.state, "test");

/** The path of a report. */
export function reportPath(name: string): string {
  mkdirSync(reportDirectory, { recursive: true });
  return join(reportDirectory, name);
}

/** Runs a stage's program in the project, with everything it prints kept in `<name>.log`. */
export async function runLogged(
  name: string,
  program: string,
  args: readonly string[],
  options: Pick<ChildOptions, "environment" | "timeout"> = {},
): Promise<ChildResult> {
  const log = openSync(reportPath(`${name}.log`), "w");
  const keep = (line: string): void => void writeSync(log, `${line}\n`);
  try {
    return await runChild(program, args, { cwd: projectDirectory, ...options, onStdout: keep, onStderr: keep });
  } finally {
    closeSync(log);
  }
}

/** The path of a program's script in `node_modules`, to be run by this Node. */
export function script(...parts: string[]): string {
  return join(paths.nodeModules, ...parts);
}

/** Counts that say one thing was checked: it passed, or it failed for these reasons. */
export function oneCheck(problems: readonly string[]): Counts {
  return { passed: problems.length === 0 ? 1 : 0, failed: problems.length, skipped: 0, notes: problems };
}

/** The sum of several counts. */
export function sum(all: readonly Counts[]): Counts {
  return {
    passed: all.reduce((n, counts) => n + counts.passed, 0),
    failed: all.reduce((n, counts) => n + counts.failed, 0),
    skipped: all.reduce((n, counts) => n + counts.skipped, 0),
    notes: all.flatMap((counts) => counts.notes),
  };
}
