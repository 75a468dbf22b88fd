import { DataError } from "./dataError.js";
import { type SparseRows, selectSparseRows } from "./sparseRows.js";

/** Documents as counts of words, in compressed sparse rows. */
export interface Corpus {
  /** D, how many documents. */
  readonly size: number;
  /** V: words are 0, …, V − 1. */
  readonly vocabulary: number;
  /** Document d has the entries `offsets[d]` to `offsets[d + 1]`; `[D + 1]`. */
  readonly offsets: Int32Array;
  /** The distinct words of each document, one after another. */
  readonly words: Int32Array;
  /** How often each occurs, positive. */
  readonly counts: Float64Array;
}

/** Options of {@link parseLdaC}. */
export interface LdaCOptions {
  /** V. Default: one more than the largest word, which is then at most 2²⁴ − 1. */
  readonly vocabulary?: number;
}

/**
 * Reads a corpus in the lda-c format: one document a line, `M id:count … id:count` with M distinct words, ids from 0.
 *
 * @param content - the file.
 * @param what - the file's name, for the error.
 * @throws DataError with reason `"damaged"`, naming file and line, if a line is malformed, says another number of words than it has, repeats a word or has
 *   one outside the vocabulary, or beyond 2²⁴ − 1 where none is given; or if there are no documents.
 * Source: Blei, Latent Dirichlet allocation in C, "Data format".
 */
export function parseLdaC(content: Uint8Array, what: string, options: LdaCOptions = {}): Corpus {
  const builder = corpusBuilder(what, options.vocabulary);
  let start = 0;
  for (let line = 1; start < content.length; line++) {
    const newline = content.indexOf(10, start);
    const end = newline === -1 ? content.length : newline;
    builder.add(content, start, end, line);
    start = end + 1;
  }
  const corpus = builder.finish();
  if (corpus.size === 0) throw new DataError("damaged", `${what} holds no documents.`);
  return corpus;
}

/** A corpus as a sparse matrix of counts, a document a row and a word a column, without a copy. */
export function corpusRows({ size, vocabulary, offsets, words, counts }: Corpus): SparseRows {
  return { size, columns: vocabulary, offsets, indices: words, values: counts };
}

/** The documents of these rows. */
export function selectDocuments(corpus: Corpus, rows: Int32Array): Corpus {
  const { size, columns, offsets, indices, values } = selectSparseRows(corpusRows(corpus), rows);
  return { size, vocabulary: columns, offsets, words: indices, counts: values };
}

/**
 * Collects documents line by line.
 *
 * @internal
 */
export interface CorpusBuilder {
  readonly documents: number;
  /** Adds the document in `content[start, end)`; a blank line is passed over. */
  add(content: Uint8Array, start: number, end: number, line: number): void;
  /** The documents so far, and an empty builder again. */
  finish(): Corpus;
}

/** Words without a given vocabulary, at most: what indexes more is no word but a slip, and models of so many columns would not fit into memory. */
const mostWords = 2 ** 24;

/**
 * @param vocabulary - V; where it is not given, the largest word decides.
 * @internal
 */
export function corpusBuilder(what: string, vocabulary?: number): CorpusBuilder {
  let offsets: number[] = [0];
  let words = new Int32Array(1 << 12);
  let counts = new Float64Array(1 << 12);
  let used = 0;
  let largest = -1;
  const seen = new Map<number, number>();
  const damaged = (line: number, why: string): DataError => new DataError("damaged", `${what}, line ${line}: ${why}.`);

  const add: CorpusBuilder["add"] = (content, start, end, line) => {
    let at = start;
    const stop = end > start && content[end - 1] === 13 ? end - 1 : end;
    const space = (): void => {
      while (at < stop && (content[at] === 32 || content[at] === 9)) at++;
    };
    const word = (): string => {
      let until = at;
      while (until < stop && content[until] !== 32 && content[until] !== 9) until++;
      return new TextDecoder().decode(content.subarray(at, until));
    };
    const integer = (): number => {
      const from = at;
      let value = 0;
      while (at < stop && content[at] >= 48 && content[at] <= 57) value = value * 10 + content[at++] - 48;
      return at === from || value > 2 ** 31 - 1 ? -1 : value;
    };
    space();
    if (at === stop) return;
    const first = word();
    const promised = integer();
    if (promised < 0 || (at < stop && content[at] !== 32 && content[at] !== 9))
      throw damaged(line, `it begins with "${first}", not with its number of words`);
    const before = used;
    for (space(); at < stop; space()) {
      const pair = word();
      const id = integer();
      const colon = content[at++] === 58;
      const count = id >= 0 && colon ? integer() : -1;
      if (count < 0 || (at < stop && content[at] !== 32 && content[at] !== 9))
        throw damaged(line, `"${pair}" is not id:count, two whole numbers`);
      if (count === 0) throw damaged(line, `word ${id} has count 0; leave it out`);
      if (vocabulary !== undefined && id >= vocabulary)
        throw damaged(line, `word ${id} is outside the vocabulary of ${vocabulary} words, 0 to ${vocabulary - 1}`);
      if (vocabulary === undefined && id >= mostWords)
        throw damaged(
          line,
          `word ${id} is beyond ${mostWords - 1}, the largest that is taken without a given vocabulary; give the number of words if it is meant`,
        );
      if (seen.get(id) === line) throw damaged(line, `word ${id} stands twice`);
      seen.set(id, line);
      if (used === words.length) {
        words = grown(words, new Int32Array(2 * used));
        counts = grown(counts, new Float64Array(2 * used));
      }
      words[used] = id;
      counts[used++] = count;
      if (id > largest) largest = id;
    }
    if (used - before !== promised)
      throw damaged(line, `it says it has ${promised} distinct words, but ${used - before} follow`);
    offsets.push(used);
  };
  return {
    get documents() {
      return offsets.length - 1;
    },
    add,
    finish: () => {
      const corpus = {
        size: offsets.length - 1,
        vocabulary: vocabulary ?? largest + 1,
        offsets: Int32Array.from(offsets),
        words: words.slice(0, used),
        counts: counts.slice(0, used),
      };
      offsets = [0];
      used = 0;
      return corpus;
    },
  };
}

function grown<A extends Int32Array | Float64Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
