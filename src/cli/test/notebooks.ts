import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.js";
import { projectDirectory } from "../paths.js";
import type { ResultFile } from "../reproduce/result.js";
import { type Counts, reportDirectory, reportPath, runLogged, type Stage } from "./stage.js";

/** Counts the result of a run: each notebook is a test, failed if a cell or a claim failed. */
export function countNotebooks(text: string): Counts {
  const { notebooks } = JSON.parse(text) as ResultFile;
  const failed = notebooks.filter(({ status }) => status === "failed" || status === "claims failed");
  return {
    passed: notebooks.length - failed.length,
    failed: failed.length,
    skipped: 0,
    notes: failed.map(({ id, status, failure }) => `${id}: ${failure ?? status}`),
  };
}

/** The whole shelf in the quick profile, within its seconds. */
export const notebooks: Stage = {
  name: "notebooks",
  description: "every notebook headless in the quick profile",
  async run() {
    const json = reportPath("notebooks.json");
    rmSync(json, { force: true });
    const output = join(reportDirectory, "figures");
    const program = join(projectDirectory, "bin", "marginalia.mjs");
    const args = [
      program,
      "reproduce",
      "--profile",
      "quick",
      "--no-setup",
      "--jobs",
      "1",
      "--output",
      output,
      "--json",
      json,
    ];
    const result = await runLogged("notebooks", process.execPath, args, { timeout: 840 });
    try {
      return countNotebooks(readFileSync(json, "utf8"));
    } catch (cause) {
      throw new Failure(`The notebooks could not be run (exit code ${result.code}).`, {
        details: result.stderr,
        cause,
      });
    }
  },
};
