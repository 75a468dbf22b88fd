import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findProgram, findPython } from "../../../src/cli/setup/python.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "python-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A stand-in for a Python, which answers the question that findPython asks. */
function install(name: string, version: string, venv = true): void {
  const program = join(folder, name);
  writeFileSync(program, `#!/bin/sh\necho "${version} ${venv ? "True" : "False"}"\n`);
  chmodSync(program, 0o755);
}

describe.runIf(process.platform !== "win32")("findPython", () => {
  it("takes the first that is new enough and complete", async () => {
    install("python3", "3.9.18");
    install("python3.12", "3.12.4", false);
    install("python3.11", "3.11.9");
    expect(await findPython({ PATH: folder })).toEqual({ program: join(folder, "python3.11"), version: "3.11.9" });
  });

  it("compares versions as numbers", async () => {
    install("python3", "3.9.20");
    install("python", "3.10.0");
    expect((await findPython({ PATH: folder })).version).toBe("3.10.0");
  });

  it("takes the one that PYTHON names, and no other", async () => {
    install("python3", "3.12.0");
    install("mine", "3.13.1");
    expect((await findPython({ PATH: folder, PYTHON: join(folder, "mine") })).version).toBe("3.13.1");
    await expect(findPython({ PATH: folder, PYTHON: "/nowhere/python" })).rejects.toThrow(
      /PYTHON names "\/nowhere\/python"/,
    );
  });

  it("says what it found instead", async () => {
    await expect(findPython({ PATH: folder })).rejects.toThrow(/^Python 3\.10 or newer was not found on the PATH/);
    install("python3", "3.8.10");
    await expect(findPython({ PATH: folder })).rejects.toThrow(/needed, but python3 is 3\.8\.10/);
    install("python3.11", "3.11.2", false);
    await expect(findPython({ PATH: folder })).rejects.toThrow(/python3\.11 \(3\.11\.2\) has no venv module/);
  });

  it("does not take a file that cannot be run for a program", () => {
    writeFileSync(join(folder, "python3"), "");
    expect(findProgram("python3", { PATH: folder })).toBeUndefined();
  });
});
