import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { parseLdaC } from "../../src/data/ldaC.js";
import { simulatedCorpus, simulatedTopics } from "../../src/data/simulatedCorpus.js";
import { writeSimulatedCorpus } from "../../src/data/writeSimulatedCorpus.js";
import { randomKey } from "../../src/engine/random.js";

const folder = mkdtempSync(join(tmpdir(), "marginalia-simulated-"));
afterAll(() => rmSync(folder, { recursive: true }));
const interrupt = Symbol.for("marginalia.interrupt");
afterEach(() => {
  delete (globalThis as Record<symbol, unknown>)[interrupt];
});
const options = { key: randomKey(1), documents: 40, vocabulary: 30, topics: 3, length: 25 };

describe("writeSimulatedCorpus", () => {
  it("writes the documents of simulatedCorpus", async () => {
    const path = join(folder, "deep", "a.ldac");
    const written: number[] = [];
    const onProgress = ({ documents }: { readonly documents: number }): void => void written.push(documents);
    const { documents, bytes } = await writeSimulatedCorpus(path, { ...options, onProgress });
    const content = readFileSync(path);
    expect({ documents, bytes, written }).toEqual({ documents: 40, bytes: content.length, written: [40] });
    expect(parseLdaC(content, "a", { vocabulary: 30 })).toEqual(simulatedCorpus(options));
  });

  it("leaves nothing, and an earlier file alone, if it is broken off", async () => {
    const path = join(folder, "b.ldac");
    writeFileSync(path, "1 0:1\n");
    const before = readdirSync(folder);
    const fail = (): never => {
      throw new Error("enough");
    };
    await expect(writeSimulatedCorpus(path, { ...options, onProgress: fail })).rejects.toThrow("enough");
    const controller = new AbortController();
    controller.abort();
    (globalThis as Record<symbol, unknown>)[interrupt] = controller.signal;
    await expect(writeSimulatedCorpus(path, options)).rejects.toMatchObject({ name: "KeyboardInterrupt" });
    expect(readFileSync(path, "utf8")).toBe("1 0:1\n");
    expect(readdirSync(folder)).toEqual(before);
  });

  it("says where it cannot write", async () => {
    await expect(writeSimulatedCorpus(join(folder, "b.ldac", "c"), options)).rejects.toThrow("cannot be written (");
    await expect(writeSimulatedCorpus(join(folder, "d"), { ...options, topics: 0 })).rejects.toThrow(
      "topics must be a positive",
    );
  });
});

describe("simulatedTopics", () => {
  it("are the topics that the words follow", () => {
    const many = { ...options, documents: 1, topics: 1, length: 20_000, vocabulary: 12, eta: 0.8 };
    const [topics, { words, counts }] = [simulatedTopics(many), simulatedCorpus(many)];
    expect(topics.length).toBe(12);
    expect(topics.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    const share = new Float64Array(12);
    words.forEach((word, i) => {
      share[word] = counts[i] / 20_000;
    });
    topics.forEach((p, w) => {
      expect(Math.abs(share[w] - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / 20_000) + 1e-4);
    });
    // Of several, each is a column that sums to 1.
    const several = simulatedTopics(options);
    for (let k = 0; k < 3; k++) {
      let sum = 0;
      for (let w = 0; w < 30; w++) sum += several[w * 3 + k];
      expect(sum).toBeCloseTo(1, 12);
    }
  });
});
