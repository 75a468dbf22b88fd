import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResultFile } from "../../src/cli/reproduce/result.js";
import {
  type Ended,
  fixtures,
  marginalia,
  newFolder,
  processesWith,
  readJson,
  startMarginalia,
  until,
} from "./support.js";

const shelf = join(fixtures, "shelf");
const broken = join(fixtures, "broken");
const root = newFolder("bad-input");
afterAll(() => rmSync(root, { recursive: true, force: true }));

function reproduce(...args: string[]): Promise<Ended> {
  return marginalia(["reproduce", "--no-setup", ...args]);
}

/** What a failing command may print: one sentence, no stack of ours. */
function sentence({ stderr }: Ended): string {
  const lines = stderr
    .trim()
    .split("\n")
    .filter((line) => !line.startsWith("Compiling"));
  expect(lines).toHaveLength(1);
  return lines[0]!;
}

describe("what cannot be run at all", () => {
  it("names what exists when a notebook does not", async () => {
    const ended = await reproduce("--notebooks", shelf, "demo/09");
    expect(ended.code).toBe(2);
    expect(sentence(ended)).toMatch(/no paper or notebook "demo\/09".*demo\/01-passes/);
  });

  it("refuses an unknown profile", async () => {
    const ended = await reproduce("--profile", "thorough");
    expect(ended.code).toBe(2);
    expect(sentence(ended)).toMatch(/quick, standard, full/);
  });

  it("says which notebook file is damaged", async () => {
    const ended = await reproduce("--notebooks", join(fixtures, "damaged"));
    expect(ended.code).toBe(1);
    expect(sentence(ended)).toMatch(/01-truncated\.ipynb is not a readable notebook/);
  });

  it("refuses an output folder that cannot be written, before anything runs", async () => {
    const file = join(root, "a-file");
    writeFileSync(file, "");
    for (const output of [join(file, "figures"), "/proc/marginalia"]) {
      const ended = await reproduce("--notebooks", shelf, "--output", output);
      expect(ended.code).toBe(1);
      expect(sentence(ended)).toContain(`Cannot write to ${output}`);
    }
  });

  it("refuses --save in a profile whose outputs are not kept", async () => {
    const ended = await reproduce("--notebooks", shelf, "--profile", "quick", "--save");
    expect(ended.code).toBe(2);
    expect(sentence(ended)).toMatch(/--save/);
  });
});

describe("notebooks that fail", () => {
  const output = join(root, "broken");
  const json = join(root, "broken.json");
  let ended: Ended;
  let failures: ReadonlyMap<string, string>;
  beforeAll(async () => {
    ended = await reproduce(
      "--notebooks",
      broken,
      "--output",
      output,
      "--json",
      json,
      "--timeout",
      "20",
      "--jobs",
      "2",
    );
    const { notebooks } = readJson<ResultFile>(json);
    failures = new Map(notebooks.map(({ id, failure }) => [id, failure ?? ""]));
  });

  it("fails the run and names each of them", () => {
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("5 notebooks did not run to the end");
    expect(failures.size).toBe(5);
  });

  it("shows a throwing cell's number, source and TypeScript frame, and runs nothing after it", () => {
    expect(failures.get("cells/01-throws")).toBe("cell 2 failed: RangeError: 4 is above 3");
    expect(ended.stderr).toContain("if (value > limit) throw new RangeError");
    expect(ended.stderr).toMatch(/at check \(cell-2\.ts:2:\d+\)/);
    const executed = readFileSync(join(".marginalia", "runs", "standard", "cells", "01-throws.ipynb"), "utf8");
    expect(executed).toContain("RangeError");
    expect(executed).not.toContain("never\\n");
  });

  it("ends a cell that loops and one that awaits for ever at the limit", () => {
    expect(failures.get("cells/02-loops")).toMatch(/cell 2 was still running after 20 s/);
    expect(failures.get("cells/03-awaits")).toMatch(/cell 1 was still running after 20 s/);
  });

  it("notices a kernel that dies, and a cell that does not type-check", () => {
    expect(failures.get("cells/04-dies")).toMatch(/the kernel ended in cell 1/);
    expect(failures.get("cells/05-type-error")).toMatch(/cell 1 failed: .*'string' is not assignable to type 'number'/);
  });

  it("leaves no process and nothing half-written", async () => {
    await until(() => processesWith(output).length === 0, 10, "every kernel has ended");
    expect(readdirSync(output).sort()).toEqual(["CLAIMS.md", "claims.json", "report"]);
  });
});

describe("claims", () => {
  it("fails the run when a claim fails, and keeps its ledger", async () => {
    const output = join(root, "claims");
    const ended = await reproduce("--notebooks", shelf, "demo/02", "--output", output);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("Claims failed in demo/02-claim-fails.");
    expect(ended.stdout).toMatch(/One is two\..*✗ failed/);
    expect(readFileSync(join(output, "CLAIMS.md"), "utf8")).toContain("One is two.");
  });

  it("enforces the quick profile's limit", async () => {
    const args = [
      "--notebooks",
      broken,
      "cells/03",
      "--profile",
      "quick",
      "--time-limit",
      "6",
      "--output",
      join(root, "slow"),
    ];
    const ended = await reproduce(...args);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      /still running after 6\.0 s, which is all that a notebook may take in the quick profile/,
    );
  });
});

describe("Ctrl-C", () => {
  it("ends the children, leaves nothing half-written, and --resume goes on", async () => {
    const output = join(root, "stopped");
    const notebooks = join(root, "stopped-shelf");
    // A shelf of its own inside the project: one notebook that passes, one that would never end.
    for (const [from, to] of [
      [join(shelf, "demo", "01-passes.ipynb"), "01-passes.ipynb"],
      [join(broken, "cells", "03-awaits.ipynb"), "02-awaits.ipynb"],
    ] as const) {
      mkdirSync(join(notebooks, "demo"), { recursive: true });
      writeFileSync(join(notebooks, "demo", to), readFileSync(from));
    }
    const args = ["reproduce", "--no-setup", "--notebooks", notebooks, "--output", output];
    const { child, ended } = startMarginalia(args);
    let seen = "";
    child.stderr!.on("data", (chunk) => {
      seen += chunk;
    });
    await until(() => seen.includes("demo/01-passes"), 120, "the first notebook has ended");
    await until(
      () => processesWith(`MARGINALIA_OUTPUT=${output}`).length >= 2,
      60,
      "the second notebook's kernel runs",
    );
    child.kill("SIGINT");
    const stopped = await ended;
    expect(stopped.code).toBe(130);
    expect(stopped.stderr.trim().split("\n").at(-1)).toMatch(/Interrupted/);
    await until(() => processesWith(`MARGINALIA_OUTPUT=${output}`).length === 0, 10, "every kernel has ended");
    expect(readdirSync(output)).toEqual(["demo"]);
    expect(existsSync(join(output, "demo", "01-passes", "squares.pdf"))).toBe(true);

    const resumed = await marginalia([...args, "--resume", "--timeout", "15"]);
    expect(resumed.code).toBe(1);
    expect(resumed.stderr).toContain("1 of 2 passed earlier and are kept.");
    expect(resumed.stdout).toMatch(/demo\/01-passes.*✓ passed earlier/);
    expect(resumed.stdout).toMatch(/demo\/02-awaits.*✗ failed/);
  });
});
