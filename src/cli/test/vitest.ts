import { readFileSync, rmSync } from "node:fs";
import { Failure } from "../failure.js";
import { type Counts, reportPath, runLogged, type Stage, script } from "./stage.js";

/** The part of Vitest's JSON report that is read. */
interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: "passed" | "failed";
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: "passed" | "failed" | "skipped" | "pending" | "todo" | "disabled";
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

/** Counts Vitest's report; a file that fails without a failing test (it does not load, a hook throws) is one failure. */
export function countVitest(text: string): Counts {
  const { testResults } = JSON.parse(text) as VitestReport;
  let [passed, failed, skipped] = [0, 0, 0];
  const notes: string[] = [];
  for (const file of testResults) {
    const own = file.assertionResults.filter(({ status }) => status === "failed");
    for (const { fullName, status, failureMessages } of file.assertionResults) {
      if (status === "passed") passed += 1;
      else if (status === "failed") notes.push(`${fullName}: ${failureMessages?.[0] ?? "failed"}`);
      else {
        skipped += 1;
        notes.push(`skipped: ${fullName}`);
      }
    }
    failed += own.length;
    if (file.status === "failed" && own.length === 0) {
      failed += 1;
      notes.push(`${file.name}: ${file.message || "failed outside of its tests"}`);
    }
  }
  return { passed, failed, skipped, notes };
}

/** Runs Vitest and counts its report. */
export async function runVitest(name: string, args: readonly string[], timeout: number): Promise<Counts> {
  const file = reportPath(`${name}.json`);
  rmSync(file, { force: true });
  const vitest = [
    script("vitest", "vitest.mjs"),
    "run",
    ...args,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${file}`,
  ];
  const environment = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined };
  const result = await runLogged(name, process.execPath, vitest, { environment, timeout });
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const why = result.timedOut
      ? `was still running after ${timeout} s`
      : `ended with exit code ${result.code} and no report`;
    throw new Failure(`Vitest ${why}: see .marginalia/test/${name}.log.`, { details: result.stderr, cause });
  }
  const counts = countVitest(text);
  if (counts.passed + counts.failed + counts.skipped === 0) throw new Failure("Vitest found no test.");
  if (result.code === 0 || counts.failed > 0) return counts;
  // An error outside of every test, such as a rejection that nobody handled.
  const note = `Vitest ended with exit code ${result.code} though no test failed: see .marginalia/test/${name}.log.`;
  return { ...counts, failed: 1, notes: [...counts.notes, note] };
}

/** Unit, property and type tests. */
export const unit: Stage = {
  name: "unit",
  description: "unit and property tests (Vitest)",
  run: async () => runVitest("unit", [], 1200),
};

/** A stage of the end-to-end tests: one file of `test/e2e`. */
export function endToEnd(name: string, file: string, description: string): Stage {
  const run = async (): Promise<Counts> =>
    runVitest(name, ["--config", "test/e2e/vitest.config.ts", `test/e2e/${file}`], 300);
  return { name, description, run };
}
