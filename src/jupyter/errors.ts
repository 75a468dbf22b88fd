import { inspect } from "node:util";
import type { TypeProblem } from "./compiler.js";
import { type FindCell, framesOf, printFrame } from "./frames.js";
import type { Outcome } from "./interpreter.js";
import type { Position } from "./positions.js";

/** An error as the Jupyter protocol describes it. */
export interface ErrorReport {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

const MAX_DEPTH = 8;

/** Describes why a cell failed. */
export function report(outcome: Exclude<Outcome, { status: "ok" }>, source: string, findCell: FindCell): ErrorReport {
  return outcome.status === "types"
    ? reportTypes(outcome.problems, source, findCell)
    : reportThrown(outcome.errors, findCell);
}

/** Describes thrown values: the first one names the report, all of them are in the traceback. */
export function reportThrown(errors: readonly unknown[], findCell: FindCell): ErrorReport {
  const { name, message } = titleOf(errors[0]);
  const seen = new Set<unknown>();
  const traceback = errors.flatMap((error) => describe(error, findCell, seen, 0));
  return { ename: name, evalue: message, traceback };
}

/** Describes what the type checker said, each complaint with its line and a caret under the place. */
export function reportTypes(problems: readonly TypeProblem[], source: string, findCell: FindCell): ErrorReport {
  const traceback = groupDetails(problems).flatMap(([main, ...details]) => [
    `${red(`${main!.file}:${main!.start.line + 1}:${main!.start.column + 1}`)} - ${main!.message} (TS${main!.code})`,
    ...details.map((detail) => `  ${detail.message}`),
    ...excerpt(main!.file.startsWith("cell") ? source : findCell(main!.file)?.source, main!.start, main!.end),
  ]);
  const [first] = problems;
  const evalue =
    first === undefined ? "" : `${first.file}:${first.start.line + 1}:${first.start.column + 1} - ${first.message}`;
  return { ename: "TypeScriptError", evalue, traceback };
}

function describe(error: unknown, findCell: FindCell, seen: Set<unknown>, depth: number): string[] {
  const { name, message } = titleOf(error);
  const title = `${red(name)}: ${message}`;
  if (!(error instanceof Error)) return [title];
  if (seen.has(error) || depth > MAX_DEPTH) return [`${title} (shown above)`];
  seen.add(error);
  try {
    return [title, ...describeFields(error, findCell, seen, depth)];
  } catch {
    return [title]; // A field of the error throws when it is read.
  }
}

function describeFields(error: Error, findCell: FindCell, seen: Set<unknown>, depth: number): string[] {
  const frames = framesOf(error, findCell);
  const inCell = frames.find(({ file, position }) => position !== undefined && findCell(file) !== undefined);
  return [
    ...detailsOf(error),
    ...(inCell === undefined ? [] : excerpt(findCell(inCell.file)?.source, inCell.position!)),
    ...frames.map(printFrame),
    ...(error.cause === undefined ? [] : ["Caused by:", ...indent(describe(error.cause, findCell, seen, depth + 1))]),
    ...(error instanceof AggregateError ? aggregated(error, findCell, seen, depth) : []),
  ];
}

function aggregated(error: AggregateError, findCell: FindCell, seen: Set<unknown>, depth: number): string[] {
  return error.errors.flatMap((inner, index) => [
    `Error ${index + 1} of ${error.errors.length}:`,
    ...indent(describe(inner, findCell, seen, depth + 1)),
  ]);
}

/** Name and message; whatever a cell throws, this does not throw. */
function titleOf(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: "Thrown", message: inspect(error) };
  try {
    return { name: String(error.name), message: String(error.message) };
  } catch {
    return { name: "Error", message: "an error whose name or message cannot be read" };
  }
}

/** The fields that an error carries besides its message, such as the code of a system error. */
function detailsOf(error: Error): string[] {
  const fields = Object.entries(error).filter(
    ([key]) => !["name", "message", "stack", "cause", "errors"].includes(key),
  );
  return fields.map(([key, value]) => `  ${key}: ${inspect(value, { depth: 2, breakLength: 100 })}`);
}

/** The line of a place, the one before it, and a mark under the place. */
function excerpt(source: string | undefined, start: Position, end: Position = start): string[] {
  if (source === undefined) return [];
  const lines = source.split("\n");
  const last = end.line === start.line ? end.column : (lines[start.line]?.length ?? start.column);
  const marks = "^".repeat(Math.max(1, last - start.column));
  const gutter = String(start.line + 1).length + 2;
  const numbered = (index: number) => `${String(index + 1).padStart(gutter)} | ${lines[index]}`;
  return [
    ...(start.line > 0 ? [numbered(start.line - 1)] : []),
    ...(start.line < lines.length ? [numbered(start.line)] : []),
    `${" ".repeat(gutter)} | ${" ".repeat(start.column)}${red(marks)}`,
  ];
}

/** The checker's explanations of a complaint follow it, with the same place. */
function groupDetails(problems: readonly TypeProblem[]): TypeProblem[][] {
  const groups: TypeProblem[][] = [];
  for (const problem of problems) {
    const previous = groups.at(-1);
    if (previous !== undefined && samePlace(previous[0]!, problem)) previous.push(problem);
    else groups.push([problem]);
  }
  return groups;
}

function samePlace(a: TypeProblem, b: TypeProblem): boolean {
  return (
    a.start.line === b.start.line &&
    a.start.column === b.start.column &&
    a.end.line === b.end.line &&
    a.end.column === b.end.column
  );
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function red(text: string): string {
  return `\u001b[31m${text}\u001b[39m`;
}
