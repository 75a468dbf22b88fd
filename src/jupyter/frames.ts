import { dirname, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { CompiledCell } from "./compiler.js";
import type { Position } from "./positions.js";

/** One line of a traceback. */
export interface Frame {
  /** The function, with `async` or `new` before it as engines write it; empty at the top level of a cell or module. */
  readonly where: string;
  /** A cell's name, a path (short within the project), or an engine's own name for what is no file. */
  readonly file: string;
  readonly position: Position | undefined;
}

/** Finds cells by their file name. */
export type FindCell = (name: string) => CompiledCell | undefined;

const FRAME = /^\s*at (?:(.*) \()?(.*?)(?::(\d+):(\d+))?\)?$/;
const HERE = dirname(fileURLToPath(import.meta.url));
const PROJECT = resolve(HERE, "..", "..");
/** Where the kernel's own frames are, before and after the engine applied source maps. */
const KERNEL = [resolve(PROJECT, "dist", "jupyter"), resolve(PROJECT, "src", "jupyter")];
const INTERNAL = /^(?:node:internal|node:vm|evalmachine)|[\\/]tslab[\\/]dist[\\/]/;
const BUILT_IN = "<anonymous>";

const awaits = new WeakMap<object, Frame[]>();

/** Remembers that an error came through an `await` at the top level of a cell, which its stack does not tell. */
export function noteAwait(error: unknown, cell: string, position: Position): void {
  if (typeof error !== "object" || error === null) return;
  const frames = awaits.get(error) ?? [];
  frames.push({ where: "async", file: cell, position });
  awaits.set(error, frames);
}

/** The frames of an error that mean something to the author of a cell: cells and libraries, not the kernel and the engine. */
export function framesOf(error: Error, findCell: FindCell): Frame[] {
  const stack = stackLines(error).map(parseFrame);
  const kept = stack.filter((frame) => frame !== undefined && !isInternal(frame)) as Frame[];
  const located = kept.map((frame) => locate(frame, findCell)).filter((frame) => frame !== undefined);
  while (located.length > 0 && located.at(-1)!.file === BUILT_IN) located.pop();
  return [...located, ...(awaits.get(error) ?? [])];
}

/** A frame as engines write it. */
export function printFrame({ where, file, position }: Frame): string {
  const place = position === undefined ? file : `${file}:${position.line + 1}:${position.column + 1}`;
  if (where === "") return `    at ${place}`;
  return where === "async" ? `    at async ${place}` : `    at ${where} (${place})`;
}

/** The lines after the message, which may itself have several lines. */
function stackLines({ stack, name, message }: Error): string[] {
  if (typeof stack !== "string") return [];
  const title = `${name}: ${message}`;
  return stack
    .slice(stack.startsWith(title) ? title.length : 0)
    .split("\n")
    .filter((line) => /^\s+at /.test(line));
}

function parseFrame(line: string): Frame | undefined {
  const match = FRAME.exec(line);
  if (match === null) return undefined;
  const [, called, place = "", lineNumber, columnNumber] = match;
  const isAsync = called === undefined && place.startsWith("async ");
  const file = isAsync ? place.slice("async ".length) : place;
  const position =
    lineNumber === undefined ? undefined : { line: Number(lineNumber) - 1, column: Number(columnNumber) - 1 };
  return { where: called ?? (isAsync ? "async" : ""), file: withoutUrl(file), position };
}

function isInternal({ where, file }: Frame): boolean {
  if (file === BUILT_IN && /^(?:async )?(?:Generator|AsyncGenerator|new Promise|Proxy)\b/.test(where)) return true;
  return INTERNAL.test(file) || KERNEL.some((folder) => file.startsWith(folder));
}

function locate(frame: Frame, findCell: FindCell): Frame | undefined {
  const cell = findCell(frame.file);
  if (cell === undefined) return { ...frame, file: shorten(frame.file) };
  const position = frame.position && cell.locate(frame.position);
  if (position === undefined) return undefined; // In what the kernel wrote around the cell.
  // Cells call what earlier cells exported, which engines write as a method.
  const where = frame.where.replace(/^(async )?(?:Proxy|Object)\./, "$1").replace("<anonymous>", "");
  return { where, file: frame.file, position };
}

function shorten(file: string): string {
  const path = relative(PROJECT, file);
  return path.startsWith("..") || path.startsWith("node_modules") || file.startsWith("node:") ? file : path;
}

function withoutUrl(file: string): string {
  return file.startsWith(pathToFileURL("/").protocol) ? fileURLToPath(file) : file;
}
