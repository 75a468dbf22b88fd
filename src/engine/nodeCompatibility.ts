import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * Gives back to `node:util` the predicates that tfjs-node 4.22 calls: Node 23 removed them, Node 22 warns at each first use
 * (tensorflow/tfjs#8609).
 */
export function patchUtil(): void {
  const util = require("node:util") as Record<string, unknown>;
  util.isNullOrUndefined = (value: unknown): boolean => value === null || value === undefined;
  util.isArray = Array.isArray;
  util.isString = (value: unknown): boolean => typeof value === "string";
  util.isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
}

/** Runs `load` without Node's notice that a dependency of tfjs-node still uses the built-in `punycode` (DEP0040). */
export function withoutDeprecationNotice(load: () => void): void {
  const emitWarning = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
    if (!rest.some((argument) => argument === "DEP0040"))
      (emitWarning as (...args: unknown[]) => void)(warning, ...rest);
  }) as typeof process.emitWarning;
  try {
    load();
  } finally {
    process.emitWarning = emitWarning;
  }
}
