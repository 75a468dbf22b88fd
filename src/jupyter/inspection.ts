import type ts from "@tslab/typescript-for-tslab";
import type { JSDocTagInfo, QuickInfo, SymbolDisplayPart } from "@tslab/typescript-for-tslab";
import { toOffset } from "./cursor.js";
import type { Interpreter } from "./interpreter.js";
import { type JsonObject, numberField, stringField } from "./json.js";
import type { TypeScript } from "./rewrite.js";

/** The reply to an `inspect_request`: type and documentation of what is under the cursor, else of the function being called there. */
export function inspection(interpreter: Interpreter, request: JsonObject): JsonObject {
  const code = stringField(request, "code");
  const data = describeAt(interpreter, code, toOffset(code, numberField(request, "cursor_pos")));
  return { status: "ok", found: data !== undefined, data: data ?? {}, metadata: {} };
}

/** The MIME bundle that documents what is at an offset. */
export function describeAt(interpreter: Interpreter, code: string, offset: number): JsonObject | undefined {
  const callee = enclosingCallee(interpreter.compiler, code, offset);
  for (const at of [offset, offset - 1, ...(callee === undefined ? [] : [callee])]) {
    if (at < 0) continue;
    const info = interpreter.inspect(code, at);
    if (info?.displayParts !== undefined && info.displayParts.length > 0) return bundle(info);
  }
  return undefined;
}

function bundle(info: QuickInfo): JsonObject {
  const signature = text(info.displayParts);
  const documentation = text(info.documentation);
  const tags = info.tags ?? [];
  const plain = [signature, documentation, ...tags.map((tag) => `@${tag.name} ${text(tag.text)}`)];
  const markdown = [
    `\`\`\`typescript\n${signature}\n\`\`\``,
    documentation,
    parameters(tags),
    ...tags.map(describeTag),
  ];
  return { "text/plain": paragraphs(plain), "text/markdown": paragraphs(markdown) };
}

function parameters(tags: readonly JSDocTagInfo[]): string {
  const lines = tags
    .filter(({ name }) => name === "param")
    .map(({ text: parts }) => {
      const [name = "", ...rest] = text(parts).split(/\s+(?:-\s+)?/);
      return `- \`${name}\` ${rest.join(" ")}`;
    });
  return lines.length === 0 ? "" : `**Parameters**\n\n${lines.join("\n")}`;
}

function describeTag(tag: JSDocTagInfo): string {
  return tag.name === "param" ? "" : `**${tag.name}** ${text(tag.text)}`;
}

function paragraphs(parts: readonly string[]): string {
  return parts.filter((part) => part.trim() !== "").join("\n\n");
}

function text(parts: readonly SymbolDisplayPart[] | undefined): string {
  return (parts ?? []).map((part) => part.text).join("");
}

/** The offset of the last character of the function's name in the call whose arguments hold the offset. */
function enclosingCallee(compiler: TypeScript, code: string, offset: number): number | undefined {
  const file = compiler.createSourceFile("cell.ts", code, compiler.ScriptTarget.Latest, true, compiler.ScriptKind.TS);
  let found: number | undefined;
  function visit(node: ts.Node): void {
    if (offset < node.pos || offset > node.end) return;
    const isCall = compiler.isCallExpression(node) || compiler.isNewExpression(node);
    if (isCall && node.expression.end < offset) found = node.expression.end - 1;
    compiler.forEachChild(node, visit);
  }
  visit(file);
  return found;
}
