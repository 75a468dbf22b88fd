import { Command } from "commander";
import { setUp } from "./setup.js";

/** `marginalia setup`. */
export function setupCommand(): Command {
  return new Command("setup")
    .description("make or repair the Python environment, the native backend and the notebook kernel")
    .addHelpText(
      "after",
      `
Every other command sets up what it needs by itself; call this to prepare a machine, or after
installing a compiler. It does nothing when there is nothing to do, and goes on where an
interrupted run stopped.

What it makes:
  .venv/         JupyterLab and its tools, pinned in python/requirements.lock
  .marginalia/   Jupyter's folders and the TypeScript kernel (your home is left alone)
  the cache      libtensorflow (600 MB, shared by all clones); MARGINALIA_CACHE names another place

Examples:
  $ marginalia setup
  $ PYTHON=/opt/python3.12/bin/python3 marginalia setup
  $ MARGINALIA_BACKEND=wasm marginalia setup      without the native backend`,
    )
    .action(async () => {
      const { python, native, changed } = await setUp({ retry: true });
      const backend = native.works ? `native backend (libtensorflow ${native.version})` : "WebAssembly backend";
      process.stdout.write(`${changed ? "Ready" : "Already set up"}: Python ${python}, ${backend}.\n`);
    });
}
