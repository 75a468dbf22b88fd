import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { estimatedSeconds, libraryHash, sourcesHash } from "../../../src/cli/reproduce/record.js";
import type { Notebook } from "../../../src/cli/reproduce/shelf.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "record-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function notebook(cells: readonly object[]): Notebook {
  const path = join(folder, "01-x.ipynb");
  writeFileSync(path, JSON.stringify({ nbformat: 4, cells, metadata: {} }));
  // An id that no real run has recorded.
  return { id: `test/${folder.slice(-6)}`, paper: "test", path, title: "x", minutes: { standard: 2 } };
}

describe("sourcesHash", () => {
  const code = { cell_type: "code", source: "const k = 5;", outputs: [] };
  const hash = (cells: readonly object[], library = "a"): string => sourcesHash(notebook(cells), library);

  it("changes with code and library, not with prose or outputs", () => {
    const first = hash([code]);
    expect(
      hash([
        { ...code, source: ["const k", " = 5;"] },
        { cell_type: "markdown", source: "prose" },
      ]),
    ).toBe(first);
    expect(hash([{ ...code, outputs: [{ output_type: "stream" }] }])).toBe(first);
    expect(hash([{ ...code, source: "const k = 6;" }])).not.toBe(first);
    expect(hash([code], "b")).not.toBe(first);
    expect(
      hash([
        { ...code, source: "const k " },
        { ...code, source: "= 5;" },
      ]),
    ).not.toBe(first);
  });
});

describe("libraryHash", () => {
  const put = (name: string, text: string): void => {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  };

  it("changes with the library, not with the commands or declarations", () => {
    put("bounds/iwae.js", "1");
    const first = libraryHash(folder);
    put("cli/main.js", "1");
    put("bounds/iwae.d.ts", "1");
    expect(libraryHash(folder)).toBe(first);
    put("bounds/iwae.js", "2");
    expect(libraryHash(folder)).not.toBe(first);
  });
});

describe("estimatedSeconds", () => {
  it("is what the notebook says before this machine has run it, and unknown otherwise", () => {
    expect(estimatedSeconds("standard", notebook([]))).toBe(120);
    expect(estimatedSeconds("full", notebook([]))).toBeUndefined();
  });
});
