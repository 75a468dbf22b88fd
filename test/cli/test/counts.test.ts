import { describe, expect, it } from "vitest";
import { countArrows } from "../../../src/cli/test/arrows.js";
import { extractCells } from "../../../src/cli/test/cells.js";
import { closingLine, runStage } from "../../../src/cli/test/command.js";
import { countJunit } from "../../../src/cli/test/kernel.js";
import { countNotebooks } from "../../../src/cli/test/notebooks.js";
import { countBiome } from "../../../src/cli/test/style.js";
import { parseTypeProblems } from "../../../src/cli/test/types.js";
import { countVitest } from "../../../src/cli/test/vitest.js";

describe("the closing line", () => {
  it("counts, and names skipped tests only if there are any", () => {
    expect(closingLine({ passed: 12, failed: 0, skipped: 0, notes: [] })).toBe("12 passed, 0 failed");
    expect(closingLine({ passed: 12, failed: 1, skipped: 2, notes: [] })).toBe("12 passed, 1 failed, 2 skipped");
  });

  it("counts a stage that cannot run as failed", async () => {
    const run = (): Promise<never> => Promise.reject(new Error("no Chromium, no Python"));
    expect(await runStage({ name: "x", description: "x", run })).toEqual({
      passed: 0,
      failed: 1,
      skipped: 0,
      notes: ["could not run: no Chromium, no Python"],
    });
  });
});

describe("reports", () => {
  it("of Vitest: tests, skipped tests, and files that fail outside of their tests", () => {
    const test = (status: string, fullName: string): object => ({
      fullName,
      status,
      failureMessages: ["Error: 1 is not 2"],
    });
    const report = {
      testResults: [
        {
          name: "a.test.ts",
          status: "failed",
          assertionResults: [test("passed", "a"), test("failed", "b"), test("skipped", "c"), test("todo", "d")],
        },
        { name: "b.test.ts", status: "failed", message: "does not load", assertionResults: [] },
        { name: "c.test.ts", status: "failed", message: "afterAll threw", assertionResults: [test("passed", "e")] },
      ],
    };
    expect(countVitest(JSON.stringify(report))).toEqual({
      passed: 2,
      failed: 3,
      skipped: 2,
      notes: [
        "b: Error: 1 is not 2",
        "skipped: c",
        "skipped: d",
        "b.test.ts: does not load",
        "c.test.ts: afterAll threw",
      ],
    });
  });

  it("of pytest: passed, failed, in error and skipped cases", () => {
    const xml = `<?xml version="1.0"?><testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4">
      <testcase classname="test.A" name="one" time="0.1" />
      <testcase classname="test.A" name="two" time="0.1"><failure message="assert 1 == 2 &lt;&#10;">long</failure></testcase>
      <testcase classname="test.A" name="three" time="0.1"><skipped type="pytest.skip" message="no pager">x</skipped></testcase>
      <testcase classname="test.A" name="four" time="0.1"><error message="fixture">x</error></testcase></testsuite></testsuites>`;
    expect(countJunit(xml)).toEqual({
      passed: 1,
      failed: 2,
      skipped: 1,
      notes: ["test.A two: assert 1 == 2 <\n", "skipped: test.A three: no pager", "test.A four: fixture"],
    });
  });

  it("of Biome: one check, or each error, listed or not", () => {
    const report = (errors: number, diagnostics: readonly object[], unchanged = 3): string =>
      JSON.stringify({ summary: { unchanged, changed: 0, errors }, diagnostics });
    expect(countBiome(report(0, []))).toMatchObject({ passed: 1, failed: 0 });
    const diagnostic = {
      severity: "error",
      message: "no any",
      category: "lint/x",
      location: { path: "a.ts", start: { line: 3 } },
    };
    expect(countBiome(report(2, [diagnostic, { ...diagnostic, severity: "warning" }]))).toMatchObject({
      passed: 0,
      failed: 2,
      notes: ["a.ts:3 no any (lint/x)", "an error that Biome did not list"],
    });
    expect(() => countBiome(report(0, [], 0))).toThrow(/no file/);
  });

  it("of dependency-cruiser: each rule is a check", () => {
    const violation = { from: "src/ops/a.ts", to: "src/bounds/b.ts", rule: { name: "up", severity: "error" } };
    const report = {
      summary: {
        violations: [violation, violation],
        totalCruised: 9,
        ruleSetUsed: { forbidden: [{ name: "up", comment: "not upwards" }, { name: "cycle" }] },
      },
    };
    expect(countArrows(JSON.stringify(report))).toMatchObject({ passed: 1, failed: 1 });
    expect(countArrows(JSON.stringify(report)).notes[0]).toBe("src/ops/a.ts imports src/bounds/b.ts: not upwards");
  });

  it("of the notebooks: each is a test", () => {
    const notebooks = [
      { id: "a/1", status: "passed", seconds: 1 },
      { id: "a/2", status: "claims failed", seconds: 1, failure: "cell 3 failed" },
      { id: "a/3", status: "failed", seconds: 1 },
    ];
    expect(countNotebooks(JSON.stringify({ profile: "quick", notebooks }))).toEqual({
      passed: 1,
      failed: 2,
      skipped: 0,
      notes: ["a/2: cell 3 failed", "a/3: failed"],
    });
  });
});

describe("parseTypeProblems", () => {
  it("reads located and bare errors and joins what goes on", () => {
    const output =
      "a.ts(3,5): error TS2322: Type 'x'.\n  Because of y.\nerror TS5083: Cannot read file.\nFound 2 errors.";
    expect(parseTypeProblems(output)).toEqual([
      { file: "a.ts", line: 3, column: 5, message: "TS2322: Type 'x'. Because of y." },
      { file: "", line: 0, column: 0, message: "TS5083: Cannot read file." },
    ]);
  });
});

describe("extractCells", () => {
  it("finds the cell and line of every line", () => {
    const { text, locate } = extractCells(["const a = 1;\nconst b = 2;", "", "a + b;"]);
    expect(text.split("\n").slice(0, 4)).toEqual(["const a = 1;", "const b = 2;", "", "a + b;"]);
    expect([1, 2, 3, 4].map(locate)).toEqual([
      { cell: 1, line: 1 },
      { cell: 1, line: 2 },
      { cell: 2, line: 1 },
      { cell: 3, line: 1 },
    ]);
  });
});
