import type ts from "@tslab/typescript-for-tslab";
import type { JsonObject } from "./json.js";
import type { TypeScript } from "./rewrite.js";

const INDENT = "  ";

/** The reply to an `is_complete_request`: whether the code can run, needs more lines, or can never become right. */
export function completeness(compiler: TypeScript, code: string): JsonObject {
  const file = compiler.createSourceFile("cell.ts", code, compiler.ScriptTarget.Latest, true, compiler.ScriptKind.TS);
  const { parseDiagnostics } = file as ts.SourceFile & { parseDiagnostics: readonly ts.DiagnosticWithLocation[] };
  if (parseDiagnostics.length === 0) return { status: "complete" };
  // The parser asks for more at the very end; whoever ends with an empty line means to be done.
  const end = code.trimEnd().length;
  const wantsMore = parseDiagnostics.some(({ start, length }) => start + length >= end && start >= end - 1);
  const unclosed = parseDiagnostics.some(({ code: number }) => UNTERMINATED.has(number));
  if (!(wantsMore && asksAtEnd(parseDiagnostics, code)) && !unclosed) return { status: "invalid" };
  return { status: "incomplete", indent: indentAfter(code) };
}

/** Unterminated template literals and comments: more lines can end them. (A string in quotes ends with its line.) */
const UNTERMINATED: ReadonlySet<number> = new Set([1160, 1010]);

function asksAtEnd(diagnostics: readonly ts.DiagnosticWithLocation[], code: string): boolean {
  return diagnostics.every(({ start }) => start >= code.trimEnd().length);
}

function indentAfter(code: string): string {
  const line = code.slice(code.lastIndexOf("\n") + 1);
  const current = /^\s*/.exec(line)![0];
  return /[{([]\s*$/.test(line) || /=>\s*$/.test(line) ? current + INDENT : current;
}
