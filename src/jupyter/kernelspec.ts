import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The kernel's name, under which notebooks and Jupyter's commands know it. */
export const KERNEL_NAME = "marginalia";

/** The compiled entry point, also if this file runs from its source. */
const MAIN = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..", "dist", "jupyter", "main.js");

/**
 * Writes `<dataDirectory>/kernels/marginalia/kernel.json`, which tells Jupyter how to start the kernel, and returns its path.
 *
 * Jupyter finds it if `dataDirectory` is `JUPYTER_DATA_DIR` or on `JUPYTER_PATH`.
 */
export function writeKernelspec(dataDirectory: string): string {
  const folder = join(dataDirectory, "kernels", KERNEL_NAME);
  const path = join(folder, "kernel.json");
  const spec = {
    argv: [process.execPath, MAIN, "{connection_file}"],
    display_name: "TypeScript (marginalia)",
    language: "typescript",
    interrupt_mode: "signal",
    metadata: { debugger: false },
  };
  mkdirSync(folder, { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(spec, undefined, 2)}\n`);
  renameSync(temporary, path);
  return path;
}
