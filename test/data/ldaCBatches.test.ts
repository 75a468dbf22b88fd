import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { StreamedBatch } from "../../src/data/batchStream.js";
import { type Corpus, parseLdaC, selectDocuments } from "../../src/data/ldaC.js";
import { ldaCBatches } from "../../src/data/ldaCBatches.js";

const folder = mkdtempSync(join(tmpdir(), "marginalia-batches-"));
afterAll(() => rmSync(folder, { recursive: true }));
// Line ends of two kinds, blank lines, and no newline at the end.
const text = Array.from({ length: 53 }, (_, d) => `2 ${d}:1 ${d + 60}:${d + 1}${d % 5 === 0 ? "\r\n" : ""}`).join("\n");
const path = join(folder, "a.ldac");
writeFileSync(path, text);
const whole = parseLdaC(new TextEncoder().encode(text), "a", { vocabulary: 120 });
const collect = async (batches: AsyncIterable<StreamedBatch<Corpus>>): Promise<StreamedBatch<Corpus>[]> => {
  const all: StreamedBatch<Corpus>[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
};

describe("ldaCBatches", () => {
  it("gives the file in batches, the last with what is left, and goes on from the end of each", async () => {
    const stream = await ldaCBatches({ path, vocabulary: 120, batchSize: 10 });
    expect({ total: stream.total, batches: stream.batches }).toEqual({ total: 53, batches: 5 });
    const batches = await collect(stream.open());
    expect(batches.map(({ size }) => size)).toEqual([10, 10, 10, 10, 13]);
    batches.forEach(({ batch, size }, b) => {
      expect(batch).toEqual(
        selectDocuments(
          whole,
          Int32Array.from({ length: size }, (_, i) => 10 * b + i),
        ),
      );
    });
    for (const [b, { next }] of batches.entries()) {
      expect(await collect(stream.open(next))).toEqual(batches.slice(b + 1));
    }
    expect(batches[4].next).toMatchObject({ byte: text.length, documents: 53 });
  });

  it("takes one batch for all, and does not count where it is told", async () => {
    const stream = await ldaCBatches({ path, vocabulary: 120, batchSize: 53, documents: 53 });
    expect((await collect(stream.open())).map(({ batch }) => batch)).toEqual([whole]);
    await expect(ldaCBatches({ path, vocabulary: 120, batchSize: 0 })).rejects.toThrow(
      "batchSize must be a positive integer",
    );
    await expect(ldaCBatches({ path, vocabulary: 120, batchSize: 9, documents: 8 })).rejects.toThrow(
      "fewer than a batch of 9",
    );
  });
});
