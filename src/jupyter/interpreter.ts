import type { QuickInfo } from "@tslab/typescript-for-tslab";
import type { CompletionInfo } from "tslab/dist/converter.js";
import type { Executor } from "tslab/dist/executor.js";
import { CellCompiler, type CompiledCell, type TypeProblem } from "./compiler.js";
import { asInterrupt, type CellBody, check, drive, each, gate } from "./drive.js";
import { noteAwait } from "./frames.js";
import { CellModules } from "./modules.js";
import { RUNTIME, type TypeScript } from "./rewrite.js";
import { CellScope, isKeyboardInterrupt, KeyboardInterrupt } from "./scope.js";

/** How a cell ended. */
export type Outcome =
  | { readonly status: "ok"; readonly value: unknown }
  | { readonly status: "types"; readonly problems: readonly TypeProblem[] }
  | { readonly status: "thrown"; readonly errors: readonly unknown[] };

/** Compiles and runs cells, one after another, in one world of variables. */
export class Interpreter {
  readonly #compiler = new CellCompiler();
  readonly #modules: CellModules;
  readonly #executor: Executor;
  #scope: CellScope | undefined;
  #value: unknown;
  #errors: unknown[] = [];
  /** Errors of cells that ended: functions of a stopped cell which still wait throw its error once more. */
  readonly #reported = new WeakSet<object>();

  /** @param folder - where the notebook is; its imports are resolved from there. */
  constructor(folder: string) {
    const { converter, tslab } = this.#compiler;
    this.#modules = new CellModules(tslab.compiler, folder);
    this.#executor = tslab.createExecutor(
      folder,
      { node: converter, browser: converter, close: () => converter.close() },
      {
        log: (value) => {
          this.#value = value;
        },
        error: (error) => {
          // Type errors come here as text; the compiler keeps them as they are.
          if (this.#compiler.problems.length === 0) this.#errors.push(error);
        },
      },
    );
    Object.defineProperty(globalThis, RUNTIME, { value: this.#runtime(), configurable: true });
  }

  /** The compiler's API, for those who ask about code without running it. */
  get compiler(): TypeScript {
    return this.#compiler.tslab.compiler;
  }

  /** A cell that ran, by its file name. */
  cell(name: string): CompiledCell | undefined {
    return this.#compiler.cell(name);
  }

  /** Whether a cell runs now. */
  get running(): boolean {
    return this.#scope !== undefined;
  }

  /** Runs a cell under a file name that tracebacks will show. */
  async run(source: string, name: string): Promise<Outcome> {
    const scope = new CellScope();
    this.#scope = scope;
    this.#value = undefined;
    this.#errors = [];
    this.#compiler.begin(name);
    try {
      await scope.run(async () => {
        await this.#modules.preload(source);
        await this.#executor.execute(source);
      });
    } catch (error) {
      this.#errors.push(error);
    }
    // Rejections that nobody handles are announced when the current turn of the event loop ends.
    await new Promise((resolve) => setImmediate(resolve));
    this.#scope = undefined;
    return this.#outcome(scope);
  }

  /** Interrupts the cell that runs. */
  interrupt(): void {
    this.#scope?.stop(new KeyboardInterrupt());
  }

  /**
   * Reports an error that no code caught. In a program it would end the process; here it ends the cell that runs.
   *
   * @returns whether a cell reported the error or will: the one that runs, or one that it stopped already.
   */
  fail(error: unknown): boolean {
    if (isKeyboardInterrupt(error) || (error instanceof Error && this.#reported.has(error))) return true;
    if (this.#scope === undefined) return false;
    this.#scope.stop(error, 0);
    if (error !== this.#scope.reason) this.#errors.push(error);
    return true;
  }

  /** Completions at an offset. */
  complete(source: string, offset: number): CompletionInfo {
    return this.#executor.complete(source, offset);
  }

  /** Type and documentation of what is at an offset. */
  inspect(source: string, offset: number): QuickInfo | undefined {
    return this.#executor.inspect(source, offset);
  }

  #outcome(scope: CellScope): Outcome {
    if (this.#compiler.problems.length > 0) return { status: "types", problems: this.#compiler.problems };
    const thrown = this.#errors.map(asInterrupt);
    const errors = new Set(scope.stopped ? [scope.reason, ...thrown] : thrown);
    for (const error of errors) if (error instanceof Error) this.#reported.add(error);
    if (errors.size > 0) return { status: "thrown", errors: [...errors] };
    const value = this.#value;
    this.#value = undefined;
    return { status: "ok", value };
  }

  #runtime(): object {
    return {
      check,
      gate,
      each,
      require: (inner: NodeJS.Require) => this.#modules.require(inner),
      import: (specifier: string) => this.#modules.import(specifier),
      drive: (name: string, body: CellBody) =>
        drive(body, (error, site) => {
          const place = this.#compiler.cell(name)?.site(site);
          if (place !== undefined) noteAwait(error, name, place);
        }),
    };
  }
}
