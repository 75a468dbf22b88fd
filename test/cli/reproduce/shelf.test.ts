import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UsageFailure } from "../../../src/cli/failure.js";
import { readShelf, selectNotebooks } from "../../../src/cli/reproduce/shelf.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "shelf-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(id: string, cells: readonly object[] = [], metadata: object = {}): void {
  const path = join(folder, `${id}.ipynb`);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, JSON.stringify({ nbformat: 4, cells, metadata }));
}

describe("readShelf", () => {
  it("lists notebooks in order, with the first heading and the minutes", () => {
    put("sivi/01-b");
    put("iwae/02-b", [
      { cell_type: "code", source: "# not a heading" },
      { cell_type: "markdown", source: ["Some prose\n", "# The *bound*\n", "# Another"] },
    ]);
    put("iwae/01-a", [], { marginalia: { minutes: { standard: 3 } } });
    put("iwae/.ipynb_checkpoints/01-a-checkpoint");
    const shelf = readShelf(folder);
    expect(shelf.map(({ id, title }) => [id, title])).toEqual([
      ["iwae/01-a", "iwae/01-a"],
      ["iwae/02-b", "The *bound*"],
      ["sivi/01-b", "sivi/01-b"],
    ]);
    expect(shelf[0]!.minutes).toEqual({ standard: 3 });
  });

  it("names the file that is damaged or too old, and an empty folder", () => {
    expect(() => readShelf(folder)).toThrow(/no notebooks in/);
    expect(() => readShelf(join(folder, "absent"))).toThrow(/no notebooks in/);
    put("a/01-x");
    writeFileSync(join(folder, "a", "02-cut.ipynb"), '{"nbformat": 4,');
    expect(() => readShelf(folder)).toThrow(/02-cut\.ipynb is not a readable notebook/);
    writeFileSync(join(folder, "a", "02-cut.ipynb"), '{"nbformat": 3, "worksheets": []}');
    expect(() => readShelf(folder)).toThrow(/nbformat 4/);
  });
});

describe("selectNotebooks", () => {
  beforeEach(() => {
    for (const id of ["iwae/01-implicit", "iwae/02-bound", "sivi/01-toy"]) put(id);
  });
  const select = (...words: string[]): string[] => selectNotebooks(readShelf(folder), words).map(({ id }) => id);

  it("selects everything, a paper, a notebook by number, name or path, each once and in order", () => {
    expect(select()).toHaveLength(3);
    expect(select("iwae")).toEqual(["iwae/01-implicit", "iwae/02-bound"]);
    expect(select("iwae/02")).toEqual(["iwae/02-bound"]);
    expect(select("iwae/02-bound")).toEqual(["iwae/02-bound"]);
    expect(select("notebooks/iwae/02-bound.ipynb")).toEqual(["iwae/02-bound"]);
    expect(select("sivi/", "iwae/01", "iwae/01-implicit")).toEqual(["iwae/01-implicit", "sivi/01-toy"]);
  });

  it("refuses what selects nothing and names what exists", () => {
    for (const word of ["iw", "iwae/03", "01", "nope", ""]) {
      expect(() => select(word)).toThrow(UsageFailure);
      expect(() => select(word)).toThrow(/iwae, sivi .*iwae\/02-bound/);
    }
  });
});
