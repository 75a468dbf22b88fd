import { Command } from "commander";
import { build } from "../../bin/build.mjs";
import { Failure } from "./failure.js";

/** `marginalia build`; the command line has compiled already when it gets here, so this mostly says so. */
export function buildCommand(): Command {
  return new Command("build")
    .description("compile src/ to dist/, if it has changed")
    .addHelpText("after", "\nExample:\n  $ marginalia build")
    .action(async () => {
      if ((await build()) === "failed") throw new Failure("The library does not compile: see the lines above.");
      process.stdout.write("dist/ is up to date.\n");
    });
}
