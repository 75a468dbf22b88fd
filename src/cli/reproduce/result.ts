import type { ClaimsFile } from "../../notebook/claim.js";

/** How one notebook ended; `kept` passed in an earlier run. */
export interface NotebookResult {
  readonly id: string;
  readonly status: "passed" | "kept" | "failed" | "claims failed";
  readonly seconds: number;
  readonly failure?: string;
  readonly claims?: ClaimsFile;
}

/** The file that `reproduce --json` writes. */
export interface ResultFile {
  readonly profile: string;
  readonly notebooks: readonly NotebookResult[];
}
