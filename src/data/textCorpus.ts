import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { randomKey } from "../engine/random.js";
import { catalogue } from "./catalogue.js";
import { DataError } from "./dataError.js";
import { type Corpus, parseLdaC } from "./ldaC.js";
import { type LocateOptions, loadFile } from "./locate.js";
import { simulatedCorpus } from "./simulatedCorpus.js";

/** Documents and their words. */
export interface TextCorpus {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly licence: string;
  readonly corpus: Corpus;
  /** The vocabulary, `[V]`. */
  readonly words: readonly string[];
  /** Says that the corpus is not the one that was asked for; to be shown. */
  readonly notice?: string;
}

/** A corpus by its files: documents in the lda-c format, and the vocabulary, a word a line. */
export interface CorpusFiles {
  readonly documents: string;
  readonly vocabulary: string;
}

/**
 * A corpus of text as counts of words: `ap` (2,246 documents of the Associated Press), `reuters` (395 stories), `simulated` (400 documents drawn from LDA with 8
 * topics), or any by the paths of its files.
 *
 * @param which - a name or files.
 * @param options - where to look; `fallback: true` gives the simulated corpus, with a notice, where `ap` or `reuters` is on no disk.
 * @throws DataError with reason `"missing"` if a file is missing, `"damaged"`, naming file and line, if one is malformed or the vocabulary has fewer words than the
 *   documents.
 */
export async function textCorpus(
  which: "ap" | "reuters" | "simulated" | CorpusFiles,
  options: LocateOptions & { readonly fallback?: boolean } = {},
): Promise<TextCorpus> {
  if (which === "simulated") return simulated();
  if (typeof which !== "string") return fromFiles(which);
  const { files, name, title, source, licence } = catalogue[which];
  try {
    const words = wordsOf(await loadFile(files.vocabulary, options));
    const corpus = parse(await loadFile(files.documents, options), files.documents.name, words);
    return { name, title, source, licence, corpus, words };
  } catch (error) {
    if (!(options.fallback && error instanceof DataError && error.reason === "missing")) throw error;
    const notice = `NOTICE: the corpus ${title} was not found, so documents simulated from LDA stand in for it; set MARGINALIA_DATA to a folder that holds ${files.documents.name}.`;
    return { ...simulated(), notice };
  }
}

async function fromFiles(files: CorpusFiles): Promise<TextCorpus> {
  const read = async (path: string): Promise<Uint8Array> => {
    try {
      return await readFile(path);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      throw new DataError("missing", `The corpus file ${path} cannot be read (${code}); give the path of a file.`, {
        cause: error,
      });
    }
  };
  const words = wordsOf(await read(files.vocabulary));
  const corpus = parse(await read(files.documents), files.documents, words);
  const name = basename(files.documents).replace(/\.[^.]*$/, "");
  return { name, title: name, source: files.documents, licence: "unknown", corpus, words };
}

function simulated(): TextCorpus {
  const corpus = simulatedCorpus({ key: randomKey(1), documents: 400, vocabulary: 1000, topics: 8, length: 120 });
  const words = Array.from({ length: corpus.vocabulary }, (_, w) => `word${w}`);
  const source = "simulated by marginalia (src/data/simulatedCorpus.ts)";
  return { name: "simulated", title: "simulated documents", source, licence: "Apache-2.0", corpus, words };
}

function wordsOf(content: Uint8Array): string[] {
  return new TextDecoder()
    .decode(content)
    .split(/\r?\n/)
    .filter((line) => line !== "");
}

function parse(content: Uint8Array, what: string, words: readonly string[]): Corpus {
  return parseLdaC(content, what, { vocabulary: words.length });
}
