/** Brings the library and the benchmark's TypeScript up to date and runs one of its programs; plain JavaScript, for it comes first. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { build } from "../bin/build.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));

export async function runProgram(name) {
  const onStart = () => process.stderr.write("Compiling the library …\n");
  if (!process.argv.includes("--no-build") && (await build({ onStart })) === "failed") {
    process.stderr.write("The library does not compile: see the lines above.\n");
    process.exitCode = 1;
    return;
  }
  for (const folder of ["harness", "typescript"]) compile(folder);
  const { main } = await import(`./.build/harness/${name}.js`);
  process.exitCode = await main(process.argv.slice(2));
}

/** Strips the types, which `npm test` checks, and points imports of the library's own files to what they are compiled to. */
function compile(folder) {
  mkdirSync(`${here}.build/${folder}`, { recursive: true });
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  for (const file of readdirSync(`${here}${folder}`)) {
    const { outputText } = ts.transpileModule(readFileSync(`${here}${folder}/${file}`, "utf8"), { compilerOptions });
    const code = outputText.replaceAll('"../../src/', '"../../../dist/');
    writeFileSync(`${here}.build/${folder}/${file.replace(/\.ts$/, ".js")}`, code);
  }
}
