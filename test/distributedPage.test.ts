import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { simulatedTopics } from "../src/data/simulatedCorpus.js";
import { randomKey } from "../src/engine/random.js";
import type { OutOfCorePoint } from "../src/methods/outOfCoreVariationalInference.js";
import { type LdaGlobal, latentDirichletAllocation } from "../src/models/latentDirichletAllocation.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "marginalia-"));
const file = `${root}.marginalia/test/distributed-example.ts`;
afterAll(() => {
  for (const path of [folder, file]) rmSync(path, { recursive: true, force: true });
});

describe("the program of docs/distributed.md", () => {
  it("runs as printed, but for the folder: it finds the topics that the corpus was drawn from", async () => {
    const [, code] = /```ts\n([\s\S]*?)```/.exec(readFileSync(`${root}docs/distributed.md`, "utf8"))!;
    const moved = code!
      .replaceAll('"corpus.ldac"', JSON.stringify(join(folder, "corpus.ldac")))
      .replaceAll('"runs/lda"', JSON.stringify(join(folder, "lda")));
    expect(moved).not.toBe(code);
    mkdirSync(`${root}.marginalia/test`, { recursive: true });
    writeFileSync(file, moved);
    const { global, trace } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
      global: LdaGlobal;
      trace: readonly OutOfCorePoint[];
    };
    expect(trace.at(-1)).toMatchObject({ seen: 5000, total: 5000 });
    const [K, V] = [5, 200];
    const truth = simulatedTopics({ key: randomKey(1), documents: 5000, vocabulary: V, topics: K, length: 40 });
    const found = latentDirichletAllocation({ topics: K, vocabulary: V, alpha: 0.2, eta: 0.1 }).wordProbabilities(
      global,
    );
    const apart = (a: number, b: number): number =>
      Array.from({ length: V }, (_, w) => Math.abs(truth[w * K + a]! - found[w * K + b]!)).reduce((x, y) => x + y) / 2;
    const nearest = Array.from({ length: K }, (_, a) => {
      const distances = Array.from({ length: K }, (_, b) => apart(a, b));
      return { which: distances.indexOf(Math.min(...distances)), distance: Math.min(...distances) };
    });
    expect(new Set(nearest.map(({ which }) => which)).size).toBe(K);
    for (const { distance } of nearest) expect(distance).toBeLessThan(0.1); // total variation
  });
});
