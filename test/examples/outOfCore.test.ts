import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build } from "../../bin/build.mjs";
import { writeSimulatedCorpus } from "../../src/data/writeSimulatedCorpus.js";
import { randomKey } from "../../src/engine/random.js";

const example = fileURLToPath(new URL("../../examples/out-of-core.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "marginalia-example-"));
const corpus = join(folder, "corpus.ldac");
beforeAll(async () => {
  // The example imports the built library.
  expect(await build(), "the library does not compile").not.toBe("failed");
  await writeSimulatedCorpus(corpus, { key: randomKey(1), documents: 2400, vocabulary: 80, topics: 4, length: 20 });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly lines: readonly string[];
  readonly errors: string;
  readonly killed: boolean;
}

/** The example in a process of its own, killed once it has said so many times how far it is. */
async function run(name: string, extra: readonly string[] = [], killAfter = Infinity): Promise<Ended> {
  const given = "--vocabulary 80 --topics 4 --batch 40 --threads 2 --every 0 --passes 10".split(" ");
  const paths = ["--checkpoint", join(folder, name), "--out", join(folder, `${name}.f64`)];
  const child = spawn(process.execPath, [example, corpus, ...given, ...paths, ...extra]);
  let [out, errors] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
    if (out.split(" left\n").length > killAfter) child.kill("SIGKILL");
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const signal = await new Promise<string | null>((resolve) => child.once("close", (_, by) => resolve(by)));
  return { lines: out.trim().split("\n"), errors, killed: signal === "SIGKILL" };
}

describe("examples/out-of-core.mjs", () => {
  it("is killed, called again with the same words, and ends with the bytes of an unbroken run", async () => {
    const unbroken = run("unbroken");
    const broken = await run("broken", [], 10);
    expect(broken.killed).toBe(true);
    expect(broken.lines[0]).toBe("checked 2400 documents, 100 % of the file");
    expect(existsSync(join(folder, "broken.f64"))).toBe(false);
    const { step } = JSON.parse(readFileSync(join(folder, "broken.json"), "utf8"));
    expect(step).toBeGreaterThanOrEqual(9);
    expect(step).toBeLessThan(600);
    const resumed = await run("broken");
    expect(resumed).toMatchObject({ killed: false, errors: "" });
    // It neither counts nor steps again: "1 of 600 batches" were 40 documents.
    expect(resumed.lines[0]).toMatch(new RegExp(`^${40 * (step + 1)} of 24000 documents, `));
    expect((await unbroken).errors).toBe("");
    const [a, b] = ["unbroken", "broken"].map((name) => readFileSync(join(folder, `${name}.f64`)));
    expect(a.length).toBe(8 * 80 * 4);
    expect(b.equals(a)).toBe(true);
    // Another number of parts sums in another order, and a file that has changed is another one.
    expect((await run("broken", ["--parts", "3"])).errors).toMatch("its parts of a batch is 2, but here it is 3.");
    writeFileSync(corpus, readFileSync(corpus, "utf8").replace(/:1\n/, ":2\n"));
    expect((await run("broken")).errors).toMatch("its corpus's ends and 64 blocks between is sha256");
    writeFileSync(join(folder, "broken.json"), "{");
    expect((await run("broken")).errors).toMatch("broken.json cannot be used: it is not JSON.");
  }, 60_000);
});
