import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { requestedCorpus } from "../../src/data/requestedCorpus.js";
import { emptyEnvironment } from "./fixtures.js";

describe("requestedCorpus", () => {
  const folder = mkdtempSync(join(tmpdir(), "requested-"));
  const [documents, vocabulary] = [join(folder, "own.ldac"), join(folder, "own.tokens")];
  writeFileSync(documents, "2 0:1 1:3\n1 1:2\n");
  writeFileSync(vocabulary, "red\ngreen\n");
  const asked = (variables: NodeJS.ProcessEnv) =>
    requestedCorpus("ap", { environment: { ...emptyEnvironment(), ...variables }, fallback: true, download: false });

  it("is the one of the environment, by name or by path", async () => {
    const own = await asked({ MARGINALIA_CORPUS: documents, MARGINALIA_VOCABULARY: vocabulary });
    expect([own.name, own.corpus.size, own.words.length]).toEqual(["own", 2, 2]);
    const simulated = await asked({ MARGINALIA_CORPUS: "simulated" });
    expect([simulated.name, simulated.notice]).toEqual(["simulated", undefined]);
    expect((await asked({})).notice).toMatch(/^NOTICE: the corpus Associated Press was not found/);
  });

  it("is refused without its words, where it cannot be read, and by file and line where it is malformed", async () => {
    await expect(asked({ MARGINALIA_CORPUS: documents })).rejects.toThrow(
      `MARGINALIA_CORPUS names ${documents}, none of ap, reuters, simulated: if it is an lda-c file, name the file of its words`,
    );
    const absent = { MARGINALIA_CORPUS: join(folder, "none"), MARGINALIA_VOCABULARY: vocabulary };
    await expect(asked(absent)).rejects.toMatchObject({ reason: "missing" });
    const damaged = join(folder, "damaged.ldac");
    writeFileSync(damaged, "1 0:1\n3 0:1 1:3\n");
    await expect(asked({ MARGINALIA_CORPUS: damaged, MARGINALIA_VOCABULARY: vocabulary })).rejects.toThrow(
      `${damaged}, line 2: it says it has 3 distinct words, but 2 follow`,
    );
  });
});
