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

  it("is told from others by size, ends and blocks between, and a small file by all of it", async () => {
    const identity = async (content: Buffer): Promise<unknown> => {
      const file = join(folder, "identity.ldac");
      writeFileSync(file, content);
      return (await ldaCBatches({ path: file, vocabulary: 120, batchSize: 1, documents: 2 })).identity;
    };
    const changedAt = (content: Buffer, at: number): Buffer => {
      const other = Buffer.from(content);
      other[at] = 49;
      return other;
    };
    const small = Buffer.alloc(384 * 1024, 48);
    const large = Buffer.alloc(2_000_000, 48);
    for (const content of [small, large]) expect(await identity(content)).toEqual(await identity(Buffer.from(content)));
    for (const at of [0, 65_536, 70_001, 200_000, small.length - 1])
      expect(await identity(changedAt(small, at))).not.toEqual(await identity(small));
    const step = (large.length - 2 * 65_536 - 4096) / 63;
    const inBlock = (b: number): number => 65_536 + Math.floor(step * b) + 17;
    for (const at of [0, 65_535, inBlock(0), inBlock(1), inBlock(31), inBlock(63), large.length - 1])
      expect(await identity(changedAt(large, at))).not.toEqual(await identity(large));
    expect(await identity(large.subarray(1))).not.toEqual(await identity(large));
    // What is said not to be noticed.
    expect(await identity(changedAt(large, inBlock(31) + 5000))).toEqual(await identity(large));
  });

  it("says how far the pass is that counts and checks", async () => {
    const long = join(folder, "long.ldac");
    const content = "1 3:1\n".repeat(2500);
    writeFileSync(long, content);
    const seen: unknown[] = [];
    const options = { path: long, vocabulary: 5, batchSize: 100, onProgress: (read: unknown) => void seen.push(read) };
    await ldaCBatches(options);
    const total = content.length;
    expect(seen).toEqual([1000, 2000, 2500].map((documents) => ({ documents, bytes: 6 * documents, total })));
    seen.length = 0;
    await ldaCBatches({ ...options, documents: 2500 });
    expect(seen).toEqual([]);
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
