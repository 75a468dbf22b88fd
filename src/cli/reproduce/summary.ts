import type { Claim, ClaimsFile, Verdict } from "../../notebook/claim.js";
import { measuredText, publishedText, verdictSign } from "../../notebook/claimsTable.js";
import { formatDuration, formatTable, paint, type Style } from "../terminal.js";
import type { NotebookResult } from "./result.js";

const styles: Readonly<Record<Verdict, Style>> = {
  reproduced: "green",
  failed: "red",
  negative: "cyan",
  skipped: "dim",
  unresolved: "yellow",
};

/** How a notebook ended, in one or a few words. */
export function resultWords(result: NotebookResult): string {
  if (result.status === "failed") return paint("red", "✗ failed");
  if (result.status === "claims failed") return paint("red", "✗ a claim failed");
  return paint("green", result.status === "kept" ? "✓ passed earlier" : "✓ passed");
}

/** The table of notebooks. */
export function notebooksTable(results: readonly NotebookResult[]): string {
  return formatTable(
    [{ title: "Notebook" }, { title: "Time", align: "right" }, { title: "Result" }],
    results.map((result) => [result.id, formatDuration(result.seconds), resultWords(result)]),
  );
}

/** The table of claims, in the order of the notebooks. */
export function claimsTable(files: readonly ClaimsFile[]): string {
  const rows = files.flatMap((file) => file.claims.map((claim) => row(file, claim)));
  return formatTable(
    [
      { title: "Notebook", maxWidth: 10 },
      { title: "Claim", maxWidth: 64 },
      { title: "Published", align: "right", maxWidth: 32 },
      { title: "Measured ± s.e.", align: "right" },
      { title: "Verdict" },
    ],
    rows,
  );
}

function row(file: ClaimsFile, claim: Claim): string[] {
  const verdict = paint(styles[claim.verdict], `${verdictSign[claim.verdict]} ${claim.verdict}`);
  return [
    file.notebook.replace(/(\/\d+)-.*/, "$1"),
    claim.statement,
    publishedText(claim),
    measuredText(claim),
    verdict,
  ];
}

/** `12 claims: 10 reproduced, 1 negative, 1 unresolved`. */
export function countClaims(claims: readonly Claim[]): string {
  const order: readonly Verdict[] = ["reproduced", "failed", "negative", "unresolved", "skipped"];
  const counts = order
    .map((verdict) => [claims.filter((claim) => claim.verdict === verdict).length, verdict] as const)
    .filter(([count]) => count > 0)
    .map(([count, verdict]) => `${count} ${verdict}`);
  const total = `${claims.length} ${claims.length === 1 ? "claim" : "claims"}`;
  return counts.length === 0 ? total : `${total}: ${counts.join(", ")}`;
}
