import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { runChild } from "../../src/cli/children.js";
import { jupyterEnvironment } from "../../src/cli/environment.js";
import { paths, venvPython } from "../../src/cli/paths.js";
import { readShelf } from "../../src/cli/reproduce/shelf.js";
import { readClaims } from "../../src/notebook/ledger.js";
import { newFolder } from "./support.js";

const folder = newFolder("plain-tslab");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** tslab's own kernel under its own name, in a folder of its own. */
function installTslab(): void {
  const kernel = join(folder, "jupyter", "kernels", "tslab");
  mkdirSync(kernel, { recursive: true });
  const argv = [
    process.execPath,
    join(paths.nodeModules, "tslab", "bin", "tslab"),
    "kernel",
    "--config-path={connection_file}",
  ];
  writeFileSync(
    join(kernel, "kernel.json"),
    JSON.stringify({ argv, display_name: "TypeScript (tslab)", language: "typescript" }),
  );
}

// tslab's error replies pass for success, so neither the exit code nor the events say that the notebook ran: its ledger does.
it("runs the shelf's first notebook under plain tslab, judged by its claims", async () => {
  installTslab();
  const notebook = readShelf(paths.notebooks)[0]!;
  const output = join(folder, "figures");
  const runner = join(paths.python, "run_notebook.py");
  const executed = join(folder, "executed.ipynb");
  const result = await runChild(
    venvPython,
    [runner, notebook.path, "--output", executed, "--kernel", "tslab", "--timeout", "200"],
    {
      environment: {
        ...jupyterEnvironment(),
        JUPYTER_PATH: join(folder, "jupyter"),
        MARGINALIA_PROFILE: "quick",
        MARGINALIA_OUTPUT: output,
      },
    },
  );
  expect(JSON.parse(result.stdout.split("\n").at(-1)!)).toMatchObject({ event: "done" });
  const ledger = await readClaims(join(output, notebook.id, "claims.json"));
  expect(ledger.finished).toBe(true);
  expect(ledger.profile).toBe("quick");
  expect(ledger.claims.length).toBeGreaterThan(0);
  expect(ledger.claims.filter(({ verdict }) => verdict === "failed")).toEqual([]);
});
