import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { build } from "../bin/build.mjs";

/** The folder `bench/`. */
export const here = fileURLToPath(new URL(".", import.meta.url));

/** Brings the library's `dist` up to date. */
export async function compileLibrary() {
  const onStart = () => process.stderr.write("Compiling the library …\n");
  if ((await build({ onStart })) === "failed") throw new Error("The library does not compile: see the lines above.");
}

/** Compiles the workloads into `bench/.build`; `npm test` checks their types. */
export function compileWorkloads() {
  mkdirSync(`${here}.build`, { recursive: true });
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  for (const file of readdirSync(`${here}typescript`)) {
    const { outputText } = ts.transpileModule(readFileSync(`${here}typescript/${file}`, "utf8"), { compilerOptions });
    writeFileSync(`${here}.build/${file.replace(/\.ts$/, ".js")}`, outputText);
  }
}
