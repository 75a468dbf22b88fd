import type { CompletionInfo, Converter, ConvertResult, Diagnostic } from "tslab/dist/converter.js";
import { applyEdits, type EditedText, mapBack, type Position } from "./positions.js";
import {
  type AwaitEdits,
  expandShorthands,
  RUNTIME,
  rewriteAwaits,
  rewriteDynamicImports,
  type TypeScript,
} from "./rewrite.js";
import { loadTslab, type TranspileModule, type Tslab } from "./tslab.js";

/** The way from a place in the code that runs back to the cell as it was written. */
export interface CompiledCell {
  readonly name: string;
  readonly source: string;
  /** The place in the cell of a place in the code that runs. */
  locate(position: Position): Position | undefined;
  /** The place in the cell of a top-level `await`, by its number. */
  site(index: number): Position | undefined;
}

/** A complaint of the type checker about a cell, or about a module that it imports. */
export interface TypeProblem {
  readonly file: string;
  readonly start: Position;
  readonly end: Position;
  readonly message: string;
  readonly code: number;
}

/** The passes from the converter's output to CommonJS: what the last of them did to positions. */
interface ModulePass {
  readonly toSource: (position: Position) => Position | undefined;
}

const CONVERTER_FILE = "__tslab__.ts";
const INLINE_MAP = /\n?\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/;
const MAP_COMMENT = /\/\/# sourceMappingURL=[^\n]*\s*$/;

/**
 * tslab's converter, with cells rewritten before and after it so that they can be stopped, and with the way back from the code that runs to the
 * cell.
 */
export class CellCompiler {
  readonly tslab: Tslab;
  /** The converter as tslab's executor wants it. */
  readonly converter: Converter;
  readonly #cells = new Map<string, CompiledCell>();
  readonly #inner: Converter;
  #declarations = "";
  #name = "cell";
  #problems: TypeProblem[] = [];
  #pass: ModulePass | undefined;

  constructor() {
    this.tslab = loadTslab((transpile, compiler) => this.#wrapTranspile(transpile, compiler));
    this.#inner = this.tslab.createConverter({ isJS: false, isBrowser: false });
    this.converter = {
      // The executor forgets the declarations of a cell that throws; its variables exist all the same, up to where it threw.
      convert: (_previous, source) => this.#convert(source),
      addModule: (name, content, metadata) => {
        const diagnostics = this.#inner.addModule(name, content, metadata);
        this.#problems = diagnostics.map((diagnostic) => problemOf(diagnostic, this.#name));
        return diagnostics;
      },
      inspect: (_previous, source, offset) => this.#inner.inspect(this.#declarations, source, offset),
      complete: (_previous, source, offset): CompletionInfo => this.#inner.complete(this.#declarations, source, offset),
      close: () => this.#inner.close(),
    };
  }

  /** The cell that is compiled next is called this. */
  begin(name: string): void {
    this.#name = name;
    this.#problems = [];
  }

  /** What the type checker said of the last cell. */
  get problems(): readonly TypeProblem[] {
    return this.#problems;
  }

  /** A compiled cell by its file name. */
  cell(name: string): CompiledCell | undefined {
    return this.#cells.get(name);
  }

  #convert(source: string): ConvertResult {
    const name = this.#name;
    const expanded = applyEdits(source, expandShorthands(this.tslab.compiler, source));
    const result = this.#inner.convert(this.#declarations, expanded.text);
    this.#problems = result.diagnostics.map((diagnostic) => problemOf(diagnostic, name, expanded));
    if (result.diagnostics.length > 0) return result;
    this.#declarations = result.declOutput ?? "";
    if (result.output === undefined) return result;

    const awaits = rewriteAwaits(this.tslab.compiler, result.output);
    const body = applyEdits(result.output, awaits.edits);
    const toModule = this.#pass?.toSource;
    const toSource = (position: Position) => {
      const written = toModule?.(position);
      return written && expanded.original(written);
    };
    const lines = body.text.split("\n").length;
    this.#cells.set(name, {
      name,
      source,
      // `wrap` writes one line before the code and some after it.
      locate: ({ line, column }) =>
        line >= 1 && line <= lines ? toSource(body.original({ line: line - 1, column })) : undefined,
      site: (index) => {
        const position = awaits.sites[index];
        return position && toSource(position);
      },
    });
    const output = wrap(body.text, name, awaits.kind);
    return { ...result, output, hasToplevelAwait: awaits.kind !== "plain" };
  }

  /** Keeps the source maps that the converter's second pass drops, and rewrites `import(…)` while it is still there to be seen. */
  #wrapTranspile(transpile: TranspileModule, compiler: TypeScript): TranspileModule {
    return (module, options) => {
      const inline = INLINE_MAP.exec(module);
      if (inline === null) return transpile(module, options);
      const script = module.slice(0, inline.index + 1);
      const map = Buffer.from(inline[1]!, "base64").toString("utf8");
      const { sources } = JSON.parse(map) as { sources: string[] };
      // Modules that cells import from files pass here as well.
      if (!sources.some((path) => path.endsWith(CONVERTER_FILE))) return transpile(script, options);

      const rewritten = applyEdits(script, rewriteDynamicImports(compiler, script));
      const compilerOptions = { ...options.compilerOptions, sourceMap: true };
      const output = transpile(rewritten.text, { ...options, compilerOptions });
      const toScript = mapBack(output.sourceMapText ?? "{}");
      const toTypeScript = mapBack(map);
      this.#pass = {
        toSource: (position) => {
          const inScript = toScript(position);
          const found = inScript && toTypeScript(rewritten.original(inScript));
          // The converter writes one line before the cell.
          return found && found.line > 0 ? { line: found.line - 1, column: found.column } : undefined;
        },
      };
      return { ...output, outputText: output.outputText.replace(MAP_COMMENT, "") };
    };
  }
}

function wrap(body: string, name: string, kind: AwaitEdits["kind"]): string {
  const require = `require = ${RUNTIME}.require(require);`;
  const start = kind === "generator" ? ` return ${RUNTIME}.drive(${JSON.stringify(name)}, function* () {` : "";
  const end = kind === "generator" ? "});" : "";
  return `${require}${start}\n${body}\n${end}\n//# sourceURL=${name}`;
}

function problemOf(diagnostic: Diagnostic, cell: string, edited?: EditedText): TypeProblem {
  const { start, end, messageText: message, code, fileName } = diagnostic;
  const place = ({ line, character }: Diagnostic["start"]): Position => {
    const position = { line, column: character };
    return fileName === undefined && edited !== undefined ? edited.original(position) : position;
  };
  return { file: fileName ?? cell, start: place(start), end: place(end), message, code };
}
