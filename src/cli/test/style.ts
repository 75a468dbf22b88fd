import { readFileSync } from "node:fs";
import { Failure } from "../failure.js";
import { type Counts, oneCheck, reportPath, runLogged, type Stage, script } from "./stage.js";

/** The part of Biome's JSON report that is read. */
interface BiomeReport {
  readonly summary: { readonly unchanged: number; readonly changed: number; readonly errors: number };
  readonly diagnostics: readonly {
    readonly severity: string;
    readonly message: string;
    readonly category?: string;
    readonly location?: { readonly path?: string; readonly start?: { readonly line: number } };
  }[];
}

/** Counts Biome's report: one check, or one failure for each error. */
export function countBiome(text: string): Counts {
  const report = JSON.parse(text) as BiomeReport;
  if (report.summary.unchanged + report.summary.changed === 0) throw new Failure("Biome checked no file.");
  const errors = report.diagnostics.filter(({ severity }) => severity === "error" || severity === "fatal");
  const notes = errors.map(({ location, message, category }) => {
    const line = location?.start?.line ? `:${location.start.line}` : "";
    return `${location?.path ?? "?"}${line} ${message} (${category ?? "biome"})`;
  });
  // Biome lists no more than its limit, but counts all.
  const unlisted = report.summary.errors - notes.length;
  return oneCheck(
    unlisted > 0 ? [...notes, ...Array<string>(unlisted).fill("an error that Biome did not list")] : notes,
  );
}

/** Linter and formatter. */
export const style: Stage = {
  name: "style",
  description: "linter and formatter (Biome)",
  async run() {
    const file = reportPath("biome.json");
    await runLogged("style", process.execPath, [
      script("@biomejs", "biome", "bin", "biome"),
      "ci",
      "--colors=off",
      "--reporter=json",
      `--reporter-file=${file}`,
      "--max-diagnostics=200",
    ]);
    return countBiome(readFileSync(file, "utf8"));
  },
};
