import type ts from "@tslab/typescript-for-tslab";
import type { Edit, Position } from "./positions.js";

/** The compiler's API, as the functions here need it. */
export type TypeScript = typeof ts;

/** The global name under which rewritten cells find the kernel. */
export const RUNTIME = "__marginalia__";

/**
 * Writes `{ x }` as `{ x: x }`: the converter turns `x` of an earlier cell into `exports.x`, and gets the short form wrong.
 */
export function expandShorthands(compiler: TypeScript, source: string): Edit[] {
  const edits: Edit[] = [];
  walk(compiler, parse(compiler, source, compiler.ScriptKind.TS), (node) => {
    if (compiler.isShorthandPropertyAssignment(node)) {
      edits.push({ at: node.name.end, length: 0, text: `: ${node.name.text}` });
    }
  });
  return edits;
}

/**
 * Makes `import(…)` an import by Node itself, which can load what `require` cannot: modules with a top-level await.
 */
export function rewriteDynamicImports(compiler: TypeScript, script: string): Edit[] {
  const file = parse(compiler, script, compiler.ScriptKind.JS);
  const edits: Edit[] = [];
  walk(compiler, file, (node) => {
    if (compiler.isCallExpression(node) && node.expression.kind === compiler.SyntaxKind.ImportKeyword) {
      const at = node.expression.getStart(file);
      edits.push({ at, length: "import".length, text: `${RUNTIME}.import` });
    }
  });
  return edits;
}

/** The edits that let a cell be stopped at each `await`. */
export interface AwaitEdits {
  readonly edits: Edit[];
  /** How the code has to run: without `await`, as a generator whose `yield` stands for `await`, or as an async function. */
  readonly kind: "plain" | "generator" | "async";
  /** Where the top-level awaits are, by number, in the script before the edits. */
  readonly sites: Position[];
}

/**
 * Rewrites each `await` of a compiled cell.
 *
 * At the top level `await e` becomes `(yield [site, e])`. In functions it stays an `await`, between two questions whether the cell was stopped.
 * A cell that has `for await` at its top level stays an async function.
 */
export function rewriteAwaits(compiler: TypeScript, script: string): AwaitEdits {
  // Only in a module is `await (0, m.f)()`, which imports become, an `await` and no call of a function of that name.
  const file = parse(compiler, `${script}\nexport {};`, compiler.ScriptKind.JS);
  const asGenerator = !hasTopLevelForAwait(compiler, file);
  const edits: Edit[] = [];
  const sites: Position[] = [];
  const insert = (at: number, text: string) => edits.push({ at, length: 0, text });

  function visit(node: ts.Node, nested: boolean): void {
    const inside = nested || compiler.isFunctionLike(node);
    if (compiler.isAwaitExpression(node)) {
      const at = node.getStart(file);
      const yields = asGenerator && !nested;
      if (yields) {
        edits.push({ at, length: "await".length, text: `(yield [${sites.length},` });
        const { line, character } = file.getLineAndCharacterOfPosition(at);
        sites.push({ line, column: character });
      } else {
        insert(at, `${RUNTIME}.check(`);
        insert(at + "await".length, ` ${RUNTIME}.gate(`);
      }
      compiler.forEachChild(node, (child) => visit(child, inside));
      insert(node.end, yields ? "])" : "))");
      return;
    }
    if (compiler.isForOfStatement(node) && node.awaitModifier !== undefined) {
      insert(node.expression.getStart(file), `${RUNTIME}.each(`);
      compiler.forEachChild(node, (child) => visit(child, inside));
      insert(node.expression.end, ")");
      return;
    }
    compiler.forEachChild(node, (child) => visit(child, inside));
  }

  visit(file, false);
  const kind = !asGenerator ? "async" : sites.length > 0 ? "generator" : "plain";
  return { edits, kind, sites };
}

function hasTopLevelForAwait(compiler: TypeScript, node: ts.Node): boolean {
  if (compiler.isFunctionLike(node)) return false;
  if (compiler.isForOfStatement(node) && node.awaitModifier !== undefined) return true;
  return compiler.forEachChild(node, (child) => hasTopLevelForAwait(compiler, child) || undefined) ?? false;
}

function parse(compiler: TypeScript, text: string, kind: ts.ScriptKind): ts.SourceFile {
  return compiler.createSourceFile("cell", text, compiler.ScriptTarget.Latest, false, kind);
}

function walk(compiler: TypeScript, node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  compiler.forEachChild(node, (child) => walk(compiler, child, visit));
}
