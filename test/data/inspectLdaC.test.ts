import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { inspectLdaC } from "../../src/data/inspectLdaC.js";

const folder = mkdtempSync(join(tmpdir(), "marginalia-inspect-"));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (text: string): string => {
  writeFileSync(join(folder, "a.ldac"), text);
  return join(folder, "a.ldac");
};

describe("inspectLdaC", () => {
  it("counts what there is", async () => {
    const path = write("2 0:1 7:3\n\n1 2:5\n0\n");
    const counts = { documents: 3, vocabulary: 8, tokens: 9, entries: 3, longest: 2, bytes: 19 };
    expect(await inspectLdaC(path)).toEqual(counts);
    expect(await inspectLdaC(path, { vocabulary: 20 })).toEqual({ ...counts, vocabulary: 20 });
  });

  it("counts the same over several blocks of the file, and says how far it is", async () => {
    const path = write(Array.from({ length: 12_000 }, (_, d) => `2 ${d % 90}:1 ${90 + (d % 7)}:2`).join("\n"));
    const progress: number[] = [];
    const summary = await inspectLdaC(path, { onProgress: ({ documents }) => void progress.push(documents) });
    expect(summary).toMatchObject({ documents: 12_000, vocabulary: 97, tokens: 36_000, entries: 24_000, longest: 2 });
    expect(progress).toEqual(Array.from({ length: 12 }, (_, i) => 1000 * (i + 1)));
  });

  it("names file and line of what is malformed", async () => {
    const path = write("1 0:1\n1 0:x\n");
    await expect(inspectLdaC(path)).rejects.toThrow(`${path}, line 2: "0:x" is not id:count, two whole numbers.`);
    await expect(inspectLdaC(write("1 5:1\n"), { vocabulary: 5 })).rejects.toThrow(
      "line 1: word 5 is outside the vocabulary",
    );
    expect(await inspectLdaC(write("1 16777215:1\n"))).toMatchObject({ vocabulary: 2 ** 24 });
    for (const word of [2 ** 24, 2 ** 31 - 1])
      await expect(inspectLdaC(write(`1 0:1\n2 0:1 ${word}:1\n`))).rejects.toThrow(
        `line 2: word ${word} is beyond 16777215, the largest that is taken without a given vocabulary; give the number of words if it is meant.`,
      );
    expect(await inspectLdaC(write("1 16777216:1\n"), { vocabulary: 2 ** 25 })).toMatchObject({ documents: 1 });
    await expect(inspectLdaC(join(folder, "none"))).rejects.toMatchObject({ reason: "missing" });
    await expect(inspectLdaC(write("\n"))).rejects.toThrow("holds no documents.");
  });
});
