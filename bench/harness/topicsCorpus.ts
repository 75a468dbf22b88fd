import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, messageOf } from "../../src/cli/failure.js";
import { type Corpus, parseLdaC, selectDocuments } from "../../src/data/ldaC.js";
import { dataFolders } from "../../src/data/locate.js";
import type { LdaGlobal } from "../../src/models/latentDirichletAllocation.js";

/** What to do where the corpus is not on the machine. */
export function missingAp(): string | undefined {
  return findAp()
    ? undefined
    : "The part topics needs the Associated Press corpus: put ap/ap.ldac (lda-c format) into the folder that MARGINALIA_DATA names, or leave the part out.";
}

/**
 * AP without, and of, every tenth document.
 *
 * @throws Failure if it is nowhere, or malformed.
 */
export function readAp(): readonly [training: Corpus, test: Corpus] {
  const found = findAp();
  if (!found) throw new Failure(missingAp()!);
  try {
    return splitOf(parseLdaC(readFileSync(found), found));
  } catch (error) {
    throw new Failure(messageOf(error));
  }
}

function findAp(): string | undefined {
  return dataFolders()
    .map(({ path }) => join(path, "ap", "ap.ldac"))
    .find((path) => existsSync(path));
}

function splitOf(corpus: Corpus): readonly [training: Corpus, test: Corpus] {
  const rows = (held: boolean) =>
    Int32Array.from(Array.from({ length: corpus.size }, (_, d) => d).filter((d) => (d % 10 === 0) === held));
  return [selectDocuments(corpus, rows(false)), selectDocuments(corpus, rows(true))];
}

/** The corpus as a file in lda-c format. */
export function toLdaC({ size, offsets, words, counts }: Corpus): string {
  const lines = Array.from({ length: size }, (_, d) => {
    const [from, to] = [offsets[d]!, offsets[d + 1]!];
    const entries = Array.from({ length: to - from }, (_, i) => `${words[from + i]}:${counts[from + i]}`);
    return `${[to - from, ...entries].join(" ")}\n`;
  });
  return lines.join("");
}

/** λ as the Python side wrote it, `[K, V]`, turned into the model's. */
export function readTopics(
  { topics: K, vocabulary: V }: { readonly topics: number; readonly vocabulary: number },
  file: string,
): LdaGlobal {
  const { buffer, byteOffset, length } = readFileSync(file);
  const written = new Float32Array(buffer.slice(byteOffset, byteOffset + length));
  if (written.length !== K * V) throw new Failure(`${file} holds ${written.length} numbers, not ${K} · ${V}.`);
  const topics = new Float64Array(K * V);
  for (let k = 0; k < K; k++) for (let v = 0; v < V; v++) topics[v * K + k] = written[k * V + v]!;
  return { topics };
}
