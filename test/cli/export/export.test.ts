import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportFigures } from "../../../src/cli/export/exportFigures.js";
import { findFigures, selectFigures } from "../../../src/cli/export/figures.js";
import { parseLength } from "../../../src/cli/export/length.js";

describe("parseLength", () => {
  it("reads every unit as CSS pixels", () => {
    expect(parseLength("3.25in")).toBe(312);
    expect(parseLength("8.255cm")).toBeCloseTo(312, 10);
    expect(parseLength("82.55mm")).toBeCloseTo(312, 10);
    expect(parseLength("234pt")).toBeCloseTo(312, 10);
    expect(parseLength(" 312 px ")).toBe(312);
    expect(parseLength("3.in")).toBe(288);
  });

  it("refuses what has no unit, is no number, or is no width", () => {
    for (const text of ["", "3.25", "in", "-3in", "3em", "1e3px", "NaNin", "3,25in"]) {
      expect(() => parseLength(text)).toThrow(/no length/);
    }
    for (const text of ["0in", "0.5in", "2cm", "40in", "99999px"])
      expect(() => parseLength(text)).toThrow(/1in to 36in/);
  });
});

const chart = {
  $schema: "https://vega.github.io/schema/vega-lite/v5.json",
  data: { values: [1, 2, 3].map((k) => ({ k, value: k * k })) },
  mark: "line",
  encoding: {
    x: { field: "k", type: "quantitative", title: "k" },
    y: { field: "value", type: "quantitative", title: "k squared" },
  },
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "figures-"));
  for (const id of [
    "iwae/01-implicit/posterior",
    "iwae/01-implicit/histogram",
    "iwae/02-bound/bound",
    "sivi/01-toy/bound",
  ]) {
    mkdirSync(join(folder, id, ".."), { recursive: true });
    writeFileSync(join(folder, `${id}.vl.json`), JSON.stringify(chart));
    writeFileSync(join(folder, `${id}.csv`), "k,value\n1,1\n");
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("selectFigures", () => {
  const select = (...words: string[]): string[] =>
    selectFigures(findFigures(folder), words, folder).map(({ id }) => id);

  it("takes all, a paper, a notebook, an id, a name, or an unambiguous start", () => {
    expect(select("all")).toHaveLength(4);
    expect(select("sivi")).toEqual(["sivi/01-toy/bound"]);
    expect(select("iwae/01")).toEqual(["iwae/01-implicit/histogram", "iwae/01-implicit/posterior"]);
    expect(select("iwae/02-bound/bound")).toEqual(["iwae/02-bound/bound"]);
    expect(select("posterior")).toEqual(["iwae/01-implicit/posterior"]);
    expect(select("hist", "iwae/01-implicit/p")).toEqual(["iwae/01-implicit/histogram", "iwae/01-implicit/posterior"]);
  });

  it("refuses a name of several figures, and names what is near an unknown one", () => {
    expect(() => select("bound")).toThrow(/fits several figures: iwae\/02-bound\/bound, sivi\/01-toy\/bound/);
    expect(() => select("postrior")).toThrow(/no figure "postrior".*Near it: iwae\/01-implicit\/posterior/);
    expect(() => findFigures(join(folder, "absent"))).toThrow(/reproduce/);
  });
});

describe("exportFigures", () => {
  it("draws SVG, PNG and CSV at the width and resolution asked for", async () => {
    const figures = selectFigures(findFigures(folder), ["posterior"], folder);
    const out = join(folder, "out");
    const written = await exportFigures(figures, { formats: ["svg", "png", "csv"], width: 400, dpi: 192, out });
    const base = join(out, "iwae", "01-implicit", "posterior");
    expect(written).toEqual([`${base}.svg`, `${base}.png`, `${base}.csv`]);
    const svg = readFileSync(`${base}.svg`, "utf8");
    expect(Math.abs(Number(/\bwidth="([\d.]+)"/.exec(svg)![1]) - 400)).toBeLessThan(1);
    expect(svg).toContain("k squared");
    // The width of a PNG is the first number of its header: 400 px at 96 to the inch are 800 at 192.
    expect(Math.abs(readFileSync(`${base}.png`).readUInt32BE(16) - 800)).toBeLessThanOrEqual(2);
    expect(readFileSync(`${base}.csv`, "utf8")).toBe("k,value\n1,1\n");
  });

  it("says which figure is damaged", async () => {
    const damaged = { id: "iwae/09-x/cut", base: join(folder, "cut") };
    writeFileSync(`${damaged.base}.vl.json`, '{"mark":');
    const options = { formats: ["svg"] as const, dpi: 300, out: join(folder, "out") };
    await expect(exportFigures([damaged], options)).rejects.toThrow(/cut\.vl\.json is damaged/);
  });
});
