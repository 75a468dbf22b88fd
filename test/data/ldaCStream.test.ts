import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Corpus, parseLdaC, selectDocuments } from "../../src/data/ldaC.js";
import { streamLdaC } from "../../src/data/ldaCStream.js";

const folder = mkdtempSync(join(tmpdir(), "marginalia-corpus-"));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const collect = async (batches: AsyncIterable<Corpus>): Promise<Corpus[]> => {
  const all: Corpus[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
};

describe("streamLdaC", () => {
  it("gives what the whole file gives, across the blocks of the file, with a last batch of fewer", async () => {
    // 200 kB: three blocks of 64 kB and a part, which cut lines in two.
    const lines = Array.from({ length: 6001 }, (_, d) => `3 ${d}:1 ${d + 10000}:${d + 1} ${d + 20000}:7`);
    const text = lines.join("\n");
    const path = write("long.ldac", text);
    const batches = await collect(streamLdaC(path, { batchSize: 500, vocabulary: 30000 }));
    expect(batches.map(({ size }) => size)).toEqual([...Array(12).fill(500), 1]);
    const whole = parseLdaC(new TextEncoder().encode(text), "a", { vocabulary: 30000 });
    batches.forEach((batch, b) => {
      const rows = Int32Array.from({ length: batch.size }, (_, i) => 500 * b + i);
      expect(batch).toEqual(selectDocuments(whole, rows));
    });
  });

  it("names file and line of what it cannot read", async () => {
    const path = write("bad.ldac", "1 0:1\n\n2 0:1\n");
    await expect(collect(streamLdaC(path, { batchSize: 1, vocabulary: 5 }))).rejects.toThrow(
      `${path}, line 3: it says it has 2 distinct words, but 1 follow.`,
    );
    const empty = write("empty.ldac", "");
    await expect(collect(streamLdaC(empty, { batchSize: 1, vocabulary: 5 }))).rejects.toThrow("holds no documents.");
    await expect(collect(streamLdaC(join(folder, "none"), { batchSize: 1, vocabulary: 5 }))).rejects.toMatchObject({
      name: "DataError",
      reason: "missing",
      message: expect.stringContaining("cannot be read (ENOENT)"),
    });
    await expect(collect(streamLdaC(path, { batchSize: 0, vocabulary: 5 }))).rejects.toThrow(
      "batchSize must be a positive integer, not 0.",
    );
  });
});
