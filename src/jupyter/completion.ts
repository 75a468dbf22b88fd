import { toCursor, toOffset } from "./cursor.js";
import type { Interpreter } from "./interpreter.js";
import { type JsonObject, numberField, stringField } from "./json.js";

/** The reply to a `complete_request`. */
export function completion(interpreter: Interpreter, request: JsonObject): JsonObject {
  const code = stringField(request, "code");
  const info = interpreter.complete(code, toOffset(code, numberField(request, "cursor_pos")));
  const start = toCursor(code, info.start);
  const end = toCursor(code, info.end);
  const kinds = new Map(info.original?.entries.map(({ name, kind }) => [name, kind]));
  // Front ends show the kind of each match if it comes under this name, which IPython introduced.
  const types = info.candidates.map((text) => ({ start, end, text, type: kinds.get(text) ?? "" }));
  return {
    status: "ok",
    matches: info.candidates,
    cursor_start: start,
    cursor_end: end,
    metadata: { _jupyter_types_experimental: types },
  };
}
