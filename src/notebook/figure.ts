/** One figure from one object: checked, set in the project's theme, shown as one bundle, and written in every format. */
import { join } from "node:path";
import { toCsv } from "./csv.js";
import { display, inNotebook } from "./display.js";
import { escapeHtml } from "./escape.js";
import { checkRows, checkSpec, type Datasets } from "./figureChecks.js";
import { writeAtomically, writeJson } from "./files.js";
import type { Profile } from "./profile.js";
import { fitWidth, inspect, rasterise, withTheme } from "./render.js";
import type { ChartSpec, Row } from "./spec.js";
import { type FigureWidth, figureWidths, pixelsPerInch } from "./theme.js";

/** A chart and its rows, as the chart builders make it. */
export interface Chart {
  readonly spec: ChartSpec;
  /** The rows that the chart shows, or several sets of them that its parts name by `data: { name }`. */
  readonly data?: readonly Row[] | { readonly [name: string]: readonly Row[] };
  /** The numbers behind the figure, where they are not the rows it shows (a heat map shows images); written as CSV instead of them. */
  readonly numbers?: readonly Row[];
}

/** What {@link Notebook.figure} draws. */
export interface FigureOptions extends Chart {
  /** What the figure shows, in sentences; the figure has no title inside. Profile and seed are added. */
  readonly caption: string;
  /** The sample sizes, added to the caption: `"100 batches, 3 seeds"`. */
  readonly samples?: string;
  /** What a reader who cannot see the figure should know. */
  readonly alt: string;
  /** `column` (3.25 in, default) or `page` (6.75 in). */
  readonly width?: FigureWidth;
}

/** Where a figure or table comes from. */
export interface Origin {
  readonly id: string;
  readonly profile: Profile;
  readonly seed: number;
  readonly backend: string;
  /** The folder it is written to. */
  readonly output: string;
}

/** What a figure's file says of itself, as `usermeta` of its `.vl.json`. */
export interface FigureMeta {
  readonly notebook: string;
  readonly figure: string;
  readonly caption: string;
  readonly alt: string;
  readonly width: FigureWidth;
  readonly profile: Profile;
  readonly seed: number;
  readonly backend: string;
}

/** The schema under which JupyterLab 4 draws a chart. */
export const vegaLiteSchema = "https://vega.github.io/schema/vega-lite/v5.json";
/** The MIME type under which JupyterLab 4 draws a chart. */
export const vegaLiteMimeType = "application/vnd.vegalite.v5+json";

/** Above this size a chart makes its notebook heavy. */
const largestSpec = 1_000_000;
const screenDpi = 192;
const printDpi = 300;

/** A caption with what a reader needs to judge the numbers: sample sizes, profile and seed. */
export function completeCaption(caption: string, origin: Origin, samples?: string): string {
  const facts = [...(samples === undefined ? [] : [samples]), `profile ${origin.profile}`, `seed ${origin.seed}`];
  return `${caption.trim()} (${facts.join("; ")}.)`;
}

/** Checks, draws, shows and writes a figure. @internal */
export async function makeFigure(origin: Origin, name: string, options: FigureOptions): Promise<void> {
  const width = options.width ?? "column";
  if (!(width in figureWidths))
    throw new Error(`Figure "${name}" has the unknown width "${width}": use column or page.`);
  if (!options.caption?.trim()) throw new Error(`Figure "${name}" has no caption: say in a sentence what it shows.`);
  if (!options.alt?.trim())
    throw new Error(`Figure "${name}" has no alt text: say what a reader who cannot see it should know.`);
  const datasets = namedData(options.data);
  for (const [dataset, rows] of Object.entries(datasets)) checkRows(name, dataset, rows);
  const spec = attachData(options.spec, datasets);
  checkSpec(name, spec, datasets);

  const size = JSON.stringify(spec).length;
  if (size > largestSpec) {
    throw new Error(
      `Figure "${name}" carries ${(size / 1e6).toFixed(1)} MB of data, more than a notebook should: bin or thin the rows, or draw a grid with heatmaps().`,
    );
  }
  const meta: FigureMeta = {
    notebook: origin.id,
    figure: name,
    caption: completeCaption(options.caption, origin, options.samples),
    alt: options.alt.trim(),
    width,
    profile: origin.profile,
    seed: origin.seed,
    backend: origin.backend,
  };
  const pixels = figureWidths[width] * pixelsPerInch;
  const fitted = await fitWidth({ ...spec, description: meta.alt }, pixels);
  const { svg, warnings, missing } = await inspect(fitted);
  if (warnings.length > 0) throw new Error(`Vega-Lite warns about figure "${name}": ${warnings[0]}`);
  if (missing.length > 0) {
    throw new Error(`The font of figure "${name}" has no glyph for ${missing.join(" ")}: write it otherwise.`);
  }
  const canonical = { $schema: vegaLiteSchema, usermeta: meta, ...withTheme(fitted) };
  const [screen, print] = await Promise.all([rasterise(svg, screenDpi), rasterise(svg, printDpi)]);
  const file = (extension: string): string => join(origin.output, `${name}.${extension}`);
  await writeJson(file("vl.json"), canonical);
  await writeAtomically(file("svg"), svg);
  await writeAtomically(file("png"), print);
  await writeAtomically(file("csv"), figureCsv(options.numbers ? { data: options.numbers } : datasets));

  display({
    data: {
      [vegaLiteMimeType]: canonical,
      "image/svg+xml": svg,
      "image/png": Buffer.from(screen).toString("base64"),
      "text/plain": `Figure ${origin.id}/${name}. ${meta.caption}`,
    },
    metadata: {
      "image/png": { width: pixels },
      [vegaLiteMimeType]: { embed_options: { actions: false, renderer: "svg" } },
    },
  });
  if (inNotebook()) {
    const html = `<p style="max-width:${figureWidths.page * pixelsPerInch}px"><small>${escapeHtml(meta.caption)}</small></p>`;
    display({ data: { "text/html": html, "text/plain": meta.caption } });
  }
}

function namedData(data: FigureOptions["data"]): Datasets {
  if (data === undefined) return {};
  return isRows(data) ? { data } : data;
}

function isRows(data: NonNullable<FigureOptions["data"]>): data is readonly Row[] {
  return Array.isArray(data);
}

/** Seven significant digits are more than a figure can show, and half the size of seventeen. */
function rounded(rows: readonly Row[]): Row[] {
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([field, value]) => [
        field,
        typeof value === "number" ? Number(value.toPrecision(7)) : value,
      ]),
    ),
  );
}

function attachData(spec: ChartSpec, datasets: Datasets): ChartSpec {
  const names = Object.keys(datasets);
  if (names.length === 0) return spec;
  if (names.length === 1 && names[0] === "data")
    return { data: { name: "data", values: rounded(datasets.data!) }, ...spec };
  return { ...spec, datasets: Object.fromEntries(names.map((name) => [name, rounded(datasets[name]!)])) };
}

function figureCsv(datasets: Datasets): string {
  const names = Object.keys(datasets);
  if (names.length === 1) return toCsv(datasets[names[0]!]!);
  return toCsv(names.flatMap((dataset) => datasets[dataset]!.map((row) => ({ dataset, ...row }))));
}
