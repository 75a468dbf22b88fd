import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { quickSeconds, verdictOf } from "../../../src/cli/reproduce/command.js";
import type { NotebookResult } from "../../../src/cli/reproduce/result.js";
import { claimsTable, countClaims, notebooksTable } from "../../../src/cli/reproduce/summary.js";
import type { Claim, ClaimsFile } from "../../../src/notebook/claim.js";

const claim: Claim = {
  id: "a",
  paper: "iwae",
  where: "§3",
  statement: "The bound rises with k.",
  published: { value: -84.78, source: "Table 1" },
  measured: { value: -84.812, standardError: 0.0134, n: 3 },
  expected: "increasing",
  minimumProfile: "quick",
  verdict: "reproduced",
};
const file: ClaimsFile = {
  notebook: "iwae/02-bound",
  paper: "iwae",
  profile: "standard",
  backend: "cpu",
  startedAt: "2026-01-01T00:00:00.000Z",
  seconds: 3,
  seed: 1,
  finished: true,
  claims: [claim, { ...claim, id: "b", verdict: "failed", explanation: "no" }],
  figures: [],
  tables: [],
};
const results: readonly NotebookResult[] = [
  { id: "iwae/01-a", status: "passed", seconds: 75 },
  { id: "iwae/02-bound", status: "claims failed", seconds: 3, claims: file },
  { id: "iwae/03-c", status: "failed", seconds: 1, failure: "cell 1 failed" },
  { id: "iwae/04-d", status: "kept", seconds: 20 },
];

describe("tables", () => {
  it("show each notebook's time and result", () => {
    const text = stripVTControlCharacters(notebooksTable(results));
    expect(text).toMatch(/iwae\/01-a +1 min 15 s +✓ passed$/m);
    expect(text).toMatch(/iwae\/02-bound +3\.0 s +✗ a claim failed$/m);
    expect(text).toMatch(/iwae\/03-c +1\.0 s +✗ failed$/m);
    expect(text).toMatch(/iwae\/04-d +20 s +✓ passed earlier$/m);
  });

  it("show each claim's statement, published and measured number, and verdict", () => {
    const text = stripVTControlCharacters(claimsTable([file]));
    expect(text).toMatch(
      /^iwae\/02 +The bound rises with k\. +−84\.78 \(Table 1\) +−84\.812 ± 0\.013 \(n = 3\) +✓ reproduced$/m,
    );
    expect(text).toMatch(/✗ failed$/m);
  });

  it("count claims by verdict", () => {
    expect(countClaims(file.claims)).toBe("2 claims: 1 reproduced, 1 failed");
    expect(countClaims([])).toBe("0 claims");
  });
});

describe("the end of a run", () => {
  it("is a sentence if a notebook or a claim failed", () => {
    expect(verdictOf(results)).toBe("A notebook did not run to the end: iwae/03-c. Claims failed in iwae/02-bound.");
    expect(verdictOf([results[0]!, results[3]!])).toBeUndefined();
  });
});

describe("quickSeconds", () => {
  it("is 25 s, scaled by the environment, or as given", () => {
    expect(quickSeconds(undefined, {})).toBe(25);
    expect(quickSeconds(undefined, { MARGINALIA_TIME_FACTOR: "2" })).toBe(50);
    expect(quickSeconds(7, { MARGINALIA_TIME_FACTOR: "2" })).toBe(7);
    for (const factor of ["0", "-1", "fast", "Infinity"]) {
      expect(() => quickSeconds(undefined, { MARGINALIA_TIME_FACTOR: factor })).toThrow(/MARGINALIA_TIME_FACTOR/);
    }
  });
});
