import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPair } from "../../src/optimize/checkpointFiles.js";
import { mulberry } from "./support.js";

const here = join(dirname(fileURLToPath(import.meta.url)), "killed");
const steps = 300;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "killed-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the fit in a process of its own, and kills it so many milliseconds after the first step it says it saved. */
async function run(path: string, killAfter?: number): Promise<{ killed: boolean; lastSaved: number; result: string }> {
  const child = spawn(process.execPath, [
    "--import",
    join(here, "typescript.mjs"),
    join(here, "run.ts"),
    path,
    `${steps}`,
  ]);
  let out = "";
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  child.stdout.on("data", (chunk) => {
    if (out === "" && killAfter !== undefined) setTimeout(() => child.kill("SIGKILL"), killAfter);
    out += chunk;
  });
  const signal = await new Promise<string | null>((resolve) => child.once("close", (_, by) => resolve(by)));
  const lines = out.split("\n");
  const saved = lines.slice(0, -1).filter((line) => /^\d+$/.test(line)); // the last line may be cut
  const result = lines.find((line) => line.startsWith("{")) ?? "";
  if (signal !== "SIGKILL" && !result) throw new Error(`The process failed: ${errors}`);
  return { killed: signal === "SIGKILL", lastSaved: Number(saved.at(-1) ?? 0), result };
}

describe("a process killed at any moment", () => {
  it("leaves a whole checkpoint, loses at most one interval, and resumes to the same bits", async () => {
    const unbroken = run(join(folder, "unbroken", "run"));
    const path = join(folder, "broken", "run");
    const random = mulberry(3);
    let kills = 0;
    let finished = "";
    while (finished === "") {
      // A checkpoint takes some milliseconds and there is one a step, so most kills fall into the writing of one.
      const { killed, lastSaved, result } = await run(path, kills < 3 ? 150 * random() : undefined);
      finished = result;
      if (!killed) continue;
      kills++;
      const left = await readPair(path);
      expect(left!.record.step).toBeGreaterThanOrEqual(lastSaved);
      expect(left!.record.step).toBeLessThanOrEqual(lastSaved + 2); // it saves before it says so, and output may be on its way
    }
    expect(kills).toBe(3);
    expect(JSON.parse(finished)).toEqual(JSON.parse((await unbroken).result));
    expect(readdirSync(dirname(path))).toHaveLength(2);
  }, 180_000);
});
