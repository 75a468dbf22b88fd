import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type ts from "@tslab/typescript-for-tslab";
import type { Converter } from "tslab/dist/converter.js";
import type { createExecutor } from "tslab/dist/executor.js";
import type { TypeScript } from "./rewrite.js";

/** The parts of tslab that the kernel stands on. */
export interface Tslab {
  readonly compiler: TypeScript;
  readonly createConverter: (options: { isJS: boolean; isBrowser: boolean }) => Converter;
  readonly createExecutor: typeof createExecutor;
}

/** A function that tslab's fork of the compiler adds. */
type Diagnose = (...args: unknown[]) => readonly ts.Diagnostic[];

/**
 * "The inferred type cannot be named without a reference to [a file of a package]": true of a published declaration, but the declarations of
 * cells are read where they were made.
 */
const NOT_PORTABLE = 2742;

/** Replaces the converter's second pass, from ES modules to CommonJS, for one file. */
export type TranspileModule = TypeScript["transpileModule"];

/**
 * Loads tslab's converter and executor with the compiler options of this project.
 *
 * tslab reads no tsconfig.json and fixes its options. Its modules find the compiler in Node's module cache, so what they find is a copy
 * with some functions replaced: one takes the options, two check, and one makes CommonJS and would lose the source maps.
 *
 * @throws Error if something loaded tslab's converter before, which then has its own options.
 */
export function loadTslab(wrapTranspile: (transpile: TranspileModule, compiler: TypeScript) => TranspileModule): Tslab {
  const require = createRequire(import.meta.url);
  const fromTslab = createRequire(require.resolve("tslab/dist/main.js"));
  const compilerPath = fromTslab.resolve("@tslab/typescript-for-tslab");
  const converterPath = require.resolve("tslab/dist/converter.js");
  if (require.cache[converterPath] !== undefined) throw new Error(`${converterPath} was loaded before the kernel.`);
  const compiler = fromTslab(compilerPath) as TypeScript;
  const cached = require.cache[compilerPath];
  if (cached === undefined) throw new Error(`The TypeScript compiler of tslab was not loaded from ${compilerPath}.`);
  const createHost = compiler.createWatchCompilerHost as (...args: unknown[]) => unknown;
  const createProgram = compiler.createWatchProgram as (host: WatchHost) => unknown;
  const { getPreEmitDiagnosticsOfFiles: diagnose } = compiler as TypeScript & {
    getPreEmitDiagnosticsOfFiles: Diagnose;
  };
  cached.exports = {
    ...compiler,
    createWatchCompilerHost: (files: string[], options: ts.CompilerOptions, ...rest: unknown[]) =>
      createHost(files, { ...options, ...cellOptions(compiler, dirname(compilerPath)) }, ...rest),
    transpileModule: wrapTranspile(compiler.transpileModule, compiler),
    createWatchProgram: (host: WatchHost) => createProgram(oneTimer(tolerantHost(host))),
    getPreEmitDiagnosticsOfFiles: (...args: unknown[]) => diagnose(...args).filter(({ code }) => code !== NOT_PORTABLE),
  };
  const { createConverter } = require(converterPath) as Pick<Tslab, "createConverter">;
  const { createExecutor } = require("tslab/dist/executor.js") as Pick<Tslab, "createExecutor">;
  return { compiler, createConverter, createExecutor };
}

/** The parts of the compiler's host through which tslab hears of programs and puts off new ones. */
interface WatchHost extends Timers {
  afterProgramCreate?: (program: ts.BuilderProgram) => void;
}

/** How the compiler puts off what a changed file makes it do. */
export interface Timers {
  setTimeout?: (callback: () => void, milliseconds: number) => unknown;
  clearTimeout?: (timer: unknown) => void;
}

/**
 * Keeps tslab's one place for a timer free for the program's update, whatever files change.
 *
 * The compiler watches what cells import, and may wait with two things at once: a new program, and another look for what it did not find. tslab
 * throws at the second, from inside a file's event, and so fails whatever cell is running when something is installed or built beside it.
 */
export function oneTimer<Host extends Timers>(host: Host): Host {
  const { setTimeout: put, clearTimeout: take } = host;
  if (put === undefined || take === undefined) return host;
  const atOnce = Symbol("done");
  let update: unknown;
  const drop = (): void => {
    try {
      take(update);
    } catch {
      // It is over already, which tslab takes for a mistake.
    }
  };
  host.setTimeout = (callback, milliseconds) => {
    if (callback.name !== "updateProgramWithWatchStatus") {
      callback();
      return atOnce;
    }
    drop();
    update = put(callback, milliseconds);
    return update;
  };
  host.clearTimeout = (timer) => {
    if (timer !== atOnce) drop();
  };
  return host;
}

/** Lets declarations be written that the compiler complains about with {@link NOT_PORTABLE}. */
function tolerantHost(host: WatchHost): WatchHost {
  const announce = host.afterProgramCreate;
  host.afterProgramCreate = (program) => {
    const emit = program.emit.bind(program);
    program.emit = (file, write, cancellation, onlyDeclarations, transformers) =>
      emit(file, write, cancellation, onlyDeclarations, {
        ...transformers,
        afterDeclarations: [...(transformers?.afterDeclarations ?? []), tolerate],
      });
    announce?.(program);
  };
  return host;
}

/** A transformer that changes no declaration, but what the compiler may say about it. */
function tolerate(context: ts.TransformationContext): ts.Transformer<ts.SourceFile | ts.Bundle> {
  const internal = context as ts.TransformationContext & { addDiagnostic: (diagnostic: ts.Diagnostic) => void };
  const add = internal.addDiagnostic;
  internal.addDiagnostic = (diagnostic) => {
    if (diagnostic.code !== NOT_PORTABLE) add(diagnostic);
  };
  return (file) => file;
}

/** How cells are checked: as strictly as the library, with the packages' `exports` respected. */
function cellOptions(compiler: TypeScript, libraryFolder: string): ts.CompilerOptions {
  const lib = ["lib.es2023.d.ts"].filter((name) => compiler.sys.fileExists(join(libraryFolder, name)));
  return {
    strict: true,
    moduleResolution: compiler.ModuleResolutionKind.Bundler,
    lib,
    types: ["node"],
    inlineSourceMap: true,
  };
}
