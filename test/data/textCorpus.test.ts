import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { catalogue } from "../../src/data/catalogue.js";
import { findDatasets } from "../../src/data/locate.js";
import { textCorpus } from "../../src/data/textCorpus.js";
import { emptyEnvironment, put } from "./fixtures.js";

const here = (name: string): boolean => findDatasets().some((set) => set.name === name && set.found);

describe("textCorpus", () => {
  it("reads any corpus by its files, and names file and line of what is malformed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "corpus-"));
    const files = { documents: join(folder, "tiny.ldac"), vocabulary: join(folder, "tiny.tokens") };
    writeFileSync(files.vocabulary, "red\ngreen\nblue\n");
    writeFileSync(files.documents, "2 0:1 2:3\n1 1:2\n");
    const { name, words, corpus } = await textCorpus(files);
    expect([name, ...words]).toEqual(["tiny", "red", "green", "blue"]);
    expect([corpus.size, corpus.vocabulary, ...corpus.words, ...corpus.counts]).toEqual([2, 3, 0, 2, 1, 1, 3, 2]);
    writeFileSync(files.documents, "2 0:1 2:3\n1 3:2\n");
    await expect(textCorpus(files)).rejects.toThrow(
      `${files.documents}, line 2: word 3 is outside the vocabulary of 3 words`,
    );
    const absent = { ...files, vocabulary: join(folder, "none") };
    await expect(textCorpus(absent)).rejects.toMatchObject({ name: "DataError", reason: "missing" });
  });

  it("falls back on simulated documents only if asked, with a notice, and never hides a damaged file", async () => {
    const environment = emptyEnvironment();
    await expect(textCorpus("ap", { environment })).rejects.toMatchObject({ reason: "missing" });
    const { name, notice, corpus, words } = await textCorpus("ap", { environment, fallback: true });
    expect([name, corpus.size, words.length]).toEqual(["simulated", 400, 1000]);
    expect(notice).toMatch(/^NOTICE: the corpus Associated Press was not found/);
    expect((await textCorpus("simulated")).notice).toBeUndefined();
    put(environment.MARGINALIA_DATA, catalogue.ap.files.vocabulary.name, new Uint8Array(9));
    await expect(textCorpus("ap", { environment, fallback: true })).rejects.toMatchObject({ reason: "damaged" });
  });

  it.skipIf(!here("ap"))("reads the Associated Press: 2,246 documents, 435,838 tokens of 10,473 words", async () => {
    const { corpus } = await textCorpus("ap");
    const tokens = corpus.counts.reduce((a, b) => a + b);
    expect([corpus.size, corpus.vocabulary, tokens]).toEqual([2246, 10473, 435838]);
  });

  it.skipIf(!here("reuters"))("reads Reuters: 395 documents, 84,010 tokens of 4,258 words", async () => {
    const { corpus } = await textCorpus("reuters");
    expect([corpus.size, corpus.vocabulary, corpus.counts.reduce((a, b) => a + b)]).toEqual([395, 4258, 84010]);
  });
});
