import { readFileSync } from "node:fs";
import { Failure } from "../failure.js";
import { type Counts, reportPath, runLogged, type Stage, script } from "./stage.js";

/** The part of dependency-cruiser's JSON report that is read. */
interface CruiseReport {
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string; readonly severity: string };
    }[];
    readonly totalCruised: number;
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string; readonly comment?: string }[] };
  };
}

/** Counts dependency-cruiser's report: each rule is a check. */
export function countArrows(text: string): Counts {
  const { summary } = JSON.parse(text) as CruiseReport;
  if (summary.totalCruised === 0) throw new Failure("dependency-cruiser saw no module.");
  const rules = summary.ruleSetUsed.forbidden;
  const broken = new Set(summary.violations.map(({ rule }) => rule.name));
  const notes = summary.violations.map(({ rule, from, to }) => {
    const why = rules.find(({ name }) => name === rule.name)?.comment ?? rule.name;
    return `${from} imports ${to}: ${why}`;
  });
  const failed = rules.filter(({ name }) => broken.has(name)).length;
  return { passed: rules.length - failed, failed, skipped: 0, notes };
}

/** The direction of imports. */
export const arrows: Stage = {
  name: "arrows",
  description: "direction of imports (dependency-cruiser)",
  async run() {
    const file = reportPath("arrows.json");
    const cruise = script("dependency-cruiser", "bin", "dependency-cruise.mjs");
    const args = [cruise, "--config", ".dependency-cruiser.cjs", "--output-type", "json", "--output-to", file, "src"];
    await runLogged("arrows", process.execPath, args);
    return countArrows(readFileSync(file, "utf8"));
  },
};
