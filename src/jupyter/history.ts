import { isJsonObject, type JsonObject, numberField, stringField } from "./json.js";

/** A cell that ran: session, line (the execution count), source, and its result as text. */
interface Entry {
  readonly session: number;
  readonly line: number;
  readonly input: string;
  output: string | null;
}

/** As in IPython, 0 in a request means the session that runs. */
const SESSION = 1;

/** The cells of this session, in the order in which they ran. */
export class History {
  readonly #entries: Entry[] = [];

  /** Adds a cell, before it runs. */
  add(line: number, input: string): void {
    this.#entries.push({ session: SESSION, line, input, output: null });
  }

  /** Adds the result of the last cell. */
  setOutput(data: JsonObject): void {
    const last = this.#entries.at(-1);
    if (last !== undefined) last.output = stringField(data, "text/plain");
  }

  /** The reply to a `history_request`: `tail`, `range` or `search`. */
  answer(request: JsonObject): JsonObject {
    const found = this.#find(request);
    const history = found.map(({ session, line, input, output }) => [
      session,
      line,
      request.output === true ? [input, output] : input,
    ]);
    return { status: "ok", history };
  }

  #find(request: JsonObject): Entry[] {
    switch (request.hist_access_type) {
      case "tail":
        return last(this.#entries, numberField(request, "n", 10));
      case "range":
        return this.#range(request);
      case "search":
        return this.#search(request);
      default:
        return [];
    }
  }

  #range(request: JsonObject): Entry[] {
    const session = numberField(request, "session");
    if (session !== 0 && session !== SESSION) return [];
    const start = numberField(request, "start");
    const stop = numberField(request, "stop", Number.POSITIVE_INFINITY);
    return this.#entries.filter(({ line }) => line >= start && line < stop);
  }

  #search(request: JsonObject): Entry[] {
    const pattern = globToRegExp(stringField(request, "pattern", "*"));
    let found = this.#entries.filter(({ input }) => pattern.test(input));
    if (request.unique === true) found = [...new Map(found.map((entry) => [entry.input, entry])).values()];
    return isJsonObject(request) && typeof request.n === "number" ? last(found, request.n) : found;
  }
}

/** A pattern in which `*` stands for any text and `?` for any character. */
export function globToRegExp(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s");
}

function last<T>(entries: readonly T[], n: number): T[] {
  return n > 0 ? entries.slice(-n) : [];
}
