import { createRequire } from "node:module";
import { join } from "node:path";
import { constants, Script } from "node:vm";
import type { TypeScript } from "./rewrite.js";

/** Codes of the errors with which `require` refuses a module that `import()` can load. */
const NEEDS_IMPORT: ReadonlySet<unknown> = new Set([
  "ERR_REQUIRE_ASYNC_MODULE",
  "ERR_REQUIRE_ESM",
  "ERR_PACKAGE_PATH_NOT_EXPORTED",
]);

/** The modules of cells: cells are CommonJS and `require`, which cannot load every ES module. */
export class CellModules {
  readonly #compiler: TypeScript;
  readonly #require: NodeJS.Require;
  readonly #import: (specifier: string) => Promise<object>;
  readonly #preloaded = new Map<string, object>();
  #cellRequire: (id: string) => unknown;

  /** @param folder - where the notebook is; its imports are resolved from there. */
  constructor(compiler: TypeScript, folder: string) {
    const file = join(folder, "cell.js");
    this.#compiler = compiler;
    this.#require = createRequire(file);
    this.#cellRequire = this.#require;
    const importer = new Script("(specifier) => import(specifier)", {
      filename: file,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    this.#import = importer.runInThisContext() as (specifier: string) => Promise<object>;
  }

  /** Loads those imports of a cell that `require` will not be able to load. */
  async preload(source: string): Promise<void> {
    for (const { fileName: id } of this.#compiler.preProcessFile(source, true, true).importedFiles) {
      if (isLocal(id) || this.#preloaded.has(id)) continue;
      try {
        this.#require(id);
      } catch (error) {
        if (!NEEDS_IMPORT.has((error as NodeJS.ErrnoException).code)) continue; // The cell's own import will say it.
        const namespace = await this.#import(id).catch(() => undefined);
        if (namespace !== undefined) this.#preloaded.set(id, asRequired(namespace));
      }
    }
  }

  /** The `require` of a cell, given the one of tslab's executor. */
  require(inner: NodeJS.Require): NodeJS.Require {
    this.#cellRequire = inner;
    return new Proxy(inner, {
      apply: (target, self, args: [string]) => this.#preloaded.get(args[0]) ?? Reflect.apply(target, self, args),
    });
  }

  /** The `import()` of a cell. */
  async import(specifier: string): Promise<object> {
    if (!isLocal(specifier)) return this.#import(specifier);
    const module = this.#cellRequire(specifier) as { __esModule?: boolean };
    return module.__esModule === true ? module : { default: module, ...module };
  }
}

/** tslab itself and the files beside the notebook, which tslab compiles. */
function isLocal(specifier: string): boolean {
  return specifier === "tslab" || specifier.startsWith(".");
}

/** What `require` would return for the namespace of an ES module: compiled imports need a mark to find its default export. */
function asRequired(namespace: object): object {
  return "default" in namespace
    ? Object.assign(Object.create(null) as object, namespace, { __esModule: true })
    : namespace;
}
