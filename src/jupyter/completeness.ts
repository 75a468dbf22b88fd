import type ts from "@tslab/typescript-for-tslab";
import type { JsonObject } from "./json.js";
import type { TypeScript } from "./rewrite.js";

const INDENT = "  ";

/** The reply to an `is_complete_request`: whether the code can run, needs more lines, or can never become right. */
export function completeness(compiler: TypeScript, code: string): JsonObject {
  const file = compiler.createSourceFile("cell.ts", code, compiler.ScriptTarget.Latest, true, compiler.ScriptKind.TS);
  const { parseDiagnostics } = file as ts.SourceFile & { parseDiagnostics: readonly ts.DiagnosticWithLocation[] };
  if (parseDiagnostics.length === 0) return { status: "complete" };
  const end = code.trimEnd().length;
  const asksForMore = parseDiagnostics.every(
    ({ start, code: number }) => start >= end && !ENDS_WITH_ITS_LINE.has(number),
  );
  const isOpen = parseDiagnostics.some(({ code: number }) => MAY_GO_ON.has(number));
  if (!asksForMore && !isOpen) return { status: "invalid" };
  return { status: "incomplete", indent: indentAfter(code) };
}

/** Numbers of the parser's complaints about a template literal and a comment that are not closed. */
const MAY_GO_ON: ReadonlySet<number> = new Set([1160, 1010]);

/** Numbers of its complaints about a string and a regular expression that are not closed. */
const ENDS_WITH_ITS_LINE: ReadonlySet<number> = new Set([1002, 1161]);

function indentAfter(code: string): string {
  const line = code.slice(code.lastIndexOf("\n") + 1);
  const current = /^\s*/.exec(line)![0];
  return /[{([]\s*$/.test(line) || /=>\s*$/.test(line) ? current + INDENT : current;
}
