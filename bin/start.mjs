// Plain JavaScript without dependencies: it must explain itself before anything is installed or compiled.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

async function start() {
  if (existsSync(`${root}src`) && !existsSync(`${root}node_modules/typescript/package.json`)) {
    process.stderr.write(`The packages are not installed: run "npm ci" in ${root} first.\n`);
    return 1;
  }
  try {
    const announce = () => process.stderr.write("Compiling the library …\n");
    if ((await build({ onStart: announce })) === "failed") {
      process.stderr.write("The library does not compile: see the lines above.\n");
      return 1;
    }
  } catch (error) {
    if (!error.code) throw error;
    process.stderr.write(`The library could not be compiled, for ${root} cannot be written (${error.message}).\n`);
    return 1;
  }
  const { main } = await import("../dist/cli/main.js");
  return main(process.argv.slice(2));
}

process.exitCode = await start();
