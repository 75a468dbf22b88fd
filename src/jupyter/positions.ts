import { SourceMap, type SourceMapPayload } from "node:module";

/** A place in a text; line and column count from zero. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Replaces `length` characters at `at` by `text`, which holds no line break. */
export interface Edit {
  readonly at: number;
  readonly length: number;
  readonly text: string;
}

/** A text after edits, with the way back. */
export interface EditedText {
  readonly text: string;
  /** The place in the text before the edits that became this place. */
  original(position: Position): Position;
}

/** Applies edits that do not overlap; lines stay where they are. */
export function applyEdits(text: string, edits: readonly Edit[]): EditedText {
  const sorted = edits.map((edit, order) => ({ ...edit, order })).sort((a, b) => a.at - b.at || a.order - b.order);
  const starts = lineStarts(text);
  const shifts = new Map<number, { column: number; removed: number; added: number }[]>();
  let output = "";
  let end = 0;
  for (const edit of sorted) {
    output += text.slice(end, edit.at) + edit.text;
    end = edit.at + edit.length;
    const line = lineOf(starts, edit.at);
    const onLine = shifts.get(line) ?? [];
    onLine.push({ column: edit.at - starts[line]!, removed: edit.length, added: edit.text.length });
    shifts.set(line, onLine);
  }
  output += text.slice(end);
  return {
    text: output,
    original({ line, column }) {
      let shift = 0;
      for (const edit of shifts.get(line) ?? []) {
        if (column < edit.column + shift) break;
        // A place inside of what an edit wrote stands for the place of the edit.
        if (column < edit.column + shift + edit.added) return { line, column: edit.column };
        shift += edit.added - edit.removed;
      }
      return { line, column: column - shift };
    },
  };
}

/** The place of an offset in a text. */
export function positionAt(text: string, offset: number): Position {
  const starts = lineStarts(text);
  const line = lineOf(starts, offset);
  return { line, column: offset - starts[line]! };
}

/** A function from places in compiled text to places in its source, given the source map as JSON. */
export function mapBack(sourceMap: string): (position: Position) => Position | undefined {
  const map = new SourceMap(JSON.parse(sourceMap) as SourceMapPayload);
  return ({ line, column }) => {
    const entry = map.findEntry(line, column);
    return "originalLine" in entry ? { line: entry.originalLine, column: entry.originalColumn } : undefined;
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
