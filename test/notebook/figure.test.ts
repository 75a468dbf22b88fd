import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type FigureOptions, makeFigure, type Origin, vegaLiteMimeType } from "../../src/notebook/figure.js";
import { rasterise } from "../../src/notebook/render.js";
import type { ChartSpec } from "../../src/notebook/spec.js";
import { temporaryFolder } from "./temporary.js";

const folder = temporaryFolder();
const origin = (): Origin => ({
  id: "iwae/02-the-bound",
  profile: "quick",
  seed: 7,
  backend: "cpu",
  output: folder.path,
});
const rows = [1, 2, 5, 10].map((k) => ({ k, bound: -1 / k }));
const line: ChartSpec = {
  mark: "line",
  encoding: {
    x: { field: "k", type: "quantitative", title: "samples k" },
    y: { field: "bound", type: "quantitative", title: "bound, nats" },
  },
};
const options: FigureOptions = {
  spec: line,
  data: rows,
  caption: "The bound rises.",
  samples: "100 batches",
  alt: "A rising line.",
};

const hook = Symbol.for("marginalia.display");
function capture(): { data: Record<string, unknown>; metadata: Record<string, unknown> }[] {
  const shown: { data: Record<string, unknown>; metadata: Record<string, unknown> }[] = [];
  Reflect.set(globalThis, hook, (message: (typeof shown)[number]) => shown.push(message));
  return shown;
}
afterEach(() => Reflect.deleteProperty(globalThis, hook));

/** Width and height of a PNG. */
const size = (png: Uint8Array): [number, number] => [
  Buffer.from(png).readUInt32BE(16),
  Buffer.from(png).readUInt32BE(20),
];

describe("figure", () => {
  it("writes chart, SVG, PNG at 300 dpi and CSV of one column's width, and nothing half-written", async () => {
    capture();
    await makeFigure(origin(), "bound", options);
    expect((await readdir(folder.path)).sort()).toEqual(["bound.csv", "bound.png", "bound.svg", "bound.vl.json"]);
    const [width] = size(await readFile(join(folder.path, "bound.png")));
    expect(Math.abs(width - 3.25 * 300)).toBeLessThanOrEqual(6);
    expect(await readFile(join(folder.path, "bound.csv"), "utf8")).toBe("k,bound\n1,-1\n2,-0.5\n5,-0.2\n10,-0.1\n");
    const chart = JSON.parse(await readFile(join(folder.path, "bound.vl.json"), "utf8"));
    expect(chart.$schema).toBe("https://vega.github.io/schema/vega-lite/v5.json");
    expect(chart.data.values).toEqual(rows);
    expect(chart.description).toBe("A rising line.");
    expect(chart.usermeta).toEqual({
      notebook: "iwae/02-the-bound",
      figure: "bound",
      caption: "The bound rises. (100 batches; profile quick; seed 7.)",
      alt: "A rising line.",
      width: "column",
      profile: "quick",
      seed: 7,
      backend: "cpu",
    });
  });

  it("shows one bundle of the chart, SVG, PNG and caption, and the caption below", async () => {
    const shown = capture();
    await makeFigure(origin(), "bound", { ...options, width: "page" });
    expect(shown).toHaveLength(2);
    const { data, metadata } = shown[0]!;
    expect(Object.keys(data).sort()).toEqual([vegaLiteMimeType, "image/png", "image/svg+xml", "text/plain"].sort());
    expect(data["text/plain"]).toContain("The bound rises. (100 batches; profile quick; seed 7.)");
    expect(metadata["image/png"]).toEqual({ width: 648 });
    expect(size(Buffer.from(data["image/png"] as string, "base64"))[0]).toBeGreaterThan(1280);
    expect(shown[1]!.data["text/html"]).toContain("The bound rises.");
  });

  it("draws its text: without it the picture is another", async () => {
    capture();
    await makeFigure(origin(), "bound", options);
    const svg = await readFile(join(folder.path, "bound.svg"), "utf8");
    expect(svg).toContain(">bound, nats</text>");
    const title = /<text[^>]*>bound, nats<\/text>/;
    expect(svg).toMatch(title);
    const ink = async (source: string): Promise<number> => darkPixels(await rasterise(source, 96));
    const [all, untitled, bare] = [
      await ink(svg),
      await ink(svg.replace(title, "")),
      await ink(svg.replace(/<text[^>]*>[^<]*<\/text>/g, "")),
    ];
    expect(all).toBeGreaterThan(untitled + 30);
    expect(untitled).toBeGreaterThan(bare + 100);
  });

  it("keeps the proportions of panels and fits facets to the width too", async () => {
    capture();
    const panels = rows.flatMap((row) => ["a", "b", "c"].map((panel) => ({ ...row, panel })));
    await makeFigure(origin(), "panels", {
      ...options,
      width: "page",
      data: panels,
      spec: {
        facet: { field: "panel", type: "nominal", title: null },
        columns: 3,
        spec: { ...line, width: 100, height: 100 },
      },
    });
    const chart = JSON.parse(await readFile(join(folder.path, "panels.vl.json"), "utf8"));
    expect(chart.spec.width).toBeCloseTo(chart.spec.height, 9);
    const [width] = size(await readFile(join(folder.path, "panels.png")));
    expect(Math.abs(width - 6.75 * 300)).toBeLessThanOrEqual(6);
  });

  const encoding = line.encoding!;
  const wrong: [string, Partial<FigureOptions>, string][] = [
    ["no caption", { caption: " " }, 'Figure "f" has no caption'],
    ["no alt text", { alt: "" }, 'Figure "f" has no alt text'],
    ["no rows", { data: [] }, 'Figure "f" has no rows'],
    ["a NaN", { data: [{ k: 1, bound: Number.NaN }] }, "bound is NaN in row 0"],
    [
      "an unknown field",
      { spec: { ...line, encoding: { ...encoding, y: { field: "bond", type: "quantitative", title: "y" } } } },
      'y shows the field "bond", which no row has (there are: k, bound)',
    ],
    [
      "an unknown field of a tooltip",
      { spec: { ...line, encoding: { ...encoding, tooltip: [{ field: "k" }, { field: "kk" }] } } },
      'the field "kk"',
    ],
    [
      "an unknown field in a layer",
      { spec: { encoding, layer: [{ mark: "line" }, { mark: "point", encoding: { color: { field: "c" } } }] } },
      'the field "c"',
    ],
    ["an unknown facet", { spec: { facet: { field: "p", type: "nominal" }, spec: line } }, 'the field "p"'],
    [
      "an axis without a title",
      { spec: { ...line, encoding: { ...encoding, y: { field: "bound", type: "quantitative" } } } },
      "its y axis has no title",
    ],
    [
      "layers without a title",
      { spec: { layer: [{ mark: "line", encoding: { x: { field: "k", type: "quantitative" }, y: encoding.y! } }] } },
      "its x axis has no title",
    ],
    [
      "an unknown name of data",
      { spec: { ...line, data: { name: "other" } } },
      'the data "other", which is not among those given (data)',
    ],
    [
      "a character that the font lacks",
      { spec: { ...line, encoding: { ...encoding, y: { ...encoding.y, title: "数" } } } },
      "no glyph for 数",
    ],
    [
      "what Vega-Lite warns about",
      { spec: { ...line, encoding: { ...encoding, x: { ...encoding.x, scale: { type: "log", zero: true } } } } },
      "Vega-Lite warns about figure",
    ],
    [
      "rows that make a notebook heavy",
      { data: Array.from({ length: 60_000 }, (_, k) => ({ k, bound: -k })) },
      "MB of data",
    ],
  ];
  it.each(wrong)("refuses %s, and writes nothing", async (_, change, message) => {
    const shown = capture();
    await expect(makeFigure(origin(), "f", { ...options, ...change })).rejects.toThrow(message);
    expect(await readdir(folder.path)).toEqual([]);
    expect(shown).toEqual([]);
  });

  it("takes an explicit absence of a title, a title of another layer, and fields that transformations make", async () => {
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const spec: ChartSpec = {
      transform: [{ calculate: "datum.bound * 2", as: "twice" }],
      layer: [
        {
          mark: "line",
          encoding: {
            x: { field: "k", type: "quantitative", title: null },
            y: { field: "twice", type: "quantitative", title: "2 L" },
          },
        },
        {
          mark: "point",
          encoding: { x: { field: "k", type: "quantitative" }, y: { field: "bound", type: "quantitative" } },
        },
      ],
    };
    await expect(makeFigure(origin(), "f", { ...options, spec })).resolves.toBeUndefined();
    vi.restoreAllMocks();
  });
});

/** Pixels darker than mid-grey of an 8-bit RGBA PNG. */
function darkPixels(png: Uint8Array): number {
  const file = Buffer.from(png);
  const [width, height] = size(png);
  const data: Buffer[] = [];
  for (let at = 8; at < file.length; at += file.readUInt32BE(at) + 12) {
    if (file.toString("latin1", at + 4, at + 8) === "IDAT")
      data.push(file.subarray(at + 8, at + 8 + file.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(data));
  const pixels = Buffer.alloc(width * height * 4);
  let dark = 0;
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (width * 4 + 1)]!;
    for (let x = 0; x < width * 4; x++) {
      const at = y * width * 4 + x;
      const left = x >= 4 ? pixels[at - 4]! : 0;
      const up = y > 0 ? pixels[at - width * 4]! : 0;
      const corner = x >= 4 && y > 0 ? pixels[at - width * 4 - 4]! : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]!;
      pixels[at] = raw[y * (width * 4 + 1) + 1 + x]! + guess;
    }
    for (let x = 0; x < width; x++) if (pixels[(y * width + x) * 4]! < 128) dark++;
  }
  return dark;
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}
