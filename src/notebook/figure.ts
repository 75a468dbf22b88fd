/** One figure from one object: checked, set in the project's theme, shown as one bundle, and written in every format. */
import { join } from "node:path";
import { toCsv } from "./csv.js";
import { display, inNotebook } from "./display.js";
import { escapeHtml } from "./escape.js";
import { writeAtomically, writeJson } from "./files.js";
import type { Profile } from "./profile.js";
import { fitWidth, inspect, rasterise, withTheme } from "./render.js";
import type { ChannelDef, ChartSpec, Json, JsonObject, Row } from "./spec.js";
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

type Datasets = { readonly [name: string]: readonly Row[] };

function namedData(data: FigureOptions["data"]): Datasets {
  if (data === undefined) return {};
  return isRows(data) ? { data } : data;
}

function isRows(data: NonNullable<FigureOptions["data"]>): data is readonly Row[] {
  return Array.isArray(data);
}

function checkRows(figure: string, dataset: string, rows: readonly Row[]): void {
  const which = dataset === "data" ? "" : ` of "${dataset}"`;
  if (rows.length === 0) throw new Error(`Figure "${figure}" has no rows${which}: there is nothing to draw.`);
  rows.forEach((row, i) => {
    for (const [field, value] of Object.entries(row)) {
      if (typeof value === "number" && !Number.isFinite(value)) {
        throw new Error(`Figure "${figure}": ${field} is ${value} in row ${i}${which}; use null for a deliberate gap.`);
      }
    }
  });
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

interface Scope {
  /** Fields that rows have here, or undefined where a transformation makes them unknowable. */
  readonly fields: ReadonlySet<string> | undefined;
  readonly encoding: Readonly<Record<string, ChannelDef | undefined>>;
}

/** Finds what Vega-Lite would draw wrong without a word: fields that no row has, and axes without a title. */
function checkSpec(figure: string, spec: ChartSpec, datasets: Datasets): void {
  visit(figure, spec, datasets, { fields: new Set(), encoding: {} });
}

function visit(figure: string, spec: ChartSpec, datasets: Datasets, outer: Scope): void {
  const scope: Scope = {
    fields: afterTransforms(dataFields(spec, datasets) ?? outer.fields, spec.transform ?? []),
    encoding: { ...outer.encoding, ...(spec.encoding as Scope["encoding"]) },
  };
  checkFields(figure, spec.encoding, scope.fields);
  if (spec.facet) {
    const facet = "field" in spec.facet ? { facet: spec.facet } : spec.facet;
    checkFields(figure, facet as ChartSpec["encoding"], scope.fields);
  }
  if (spec.mark !== undefined) checkTitles(figure, [scope.encoding]);
  if (spec.layer) {
    const layers = spec.layer.map((layer) => ({ ...scope.encoding, ...(layer.encoding as Scope["encoding"]) }));
    checkTitles(figure, layers);
    // Layers share their axes, so one of them may title for all.
    for (const layer of spec.layer) visit(figure, { ...layer, ...titled(layer, layers) }, datasets, scope);
  }
  const inner = spec.repeat === undefined ? scope : { ...scope, fields: undefined };
  for (const child of [
    ...(spec.concat ?? []),
    ...(spec.hconcat ?? []),
    ...(spec.vconcat ?? []),
    ...(spec.spec ? [spec.spec] : []),
  ]) {
    visit(figure, child, datasets, inner);
  }
}

function dataFields(spec: ChartSpec, datasets: Datasets): Set<string> | undefined {
  if (!spec.data) return undefined;
  if ("sequence" in spec.data) return new Set([String(spec.data.sequence.as ?? "data")]);
  const rows = "values" in spec.data ? spec.data.values : datasets[spec.data.name];
  if (rows === undefined) {
    const names = Object.keys(datasets).join(", ");
    throw new Error(
      `The chart names the data "${spec.data.name}", which is not among those given (${names || "none"}).`,
    );
  }
  return new Set(rows.flatMap((row) => Object.keys(row)));
}

function afterTransforms(
  fields: ReadonlySet<string> | undefined,
  transforms: readonly JsonObject[],
): ReadonlySet<string> | undefined {
  if (fields === undefined || transforms.length === 0) return fields;
  const known = new Set(fields);
  for (const transform of transforms) {
    if ("pivot" in transform || "lookup" in transform || "flatten" in transform) return undefined;
    if ("fold" in transform && transform.as === undefined) for (const name of ["key", "value"]) known.add(name);
    if ("density" in transform && transform.as === undefined) for (const name of ["value", "density"]) known.add(name);
    collectNames(transform, known);
  }
  return known;
}

function collectNames(value: Json | undefined, names: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collectNames(item, names);
  else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      if (key === "as") for (const name of [inner].flat()) names.add(String(name));
      else collectNames(inner, names);
    }
  }
}

function checkFields(figure: string, encoding: ChartSpec["encoding"], fields: ReadonlySet<string> | undefined): void {
  if (fields === undefined || !encoding) return;
  for (const [channel, channelDef] of Object.entries(encoding as Record<string, unknown>)) {
    for (const one of [channelDef].flat() as (ChannelDef | null)[]) {
      const field = one?.field;
      if (typeof field !== "string" || fields.has(field)) continue;
      // A path into a row ("a.b", "a[0]") begins with a field; "\\." is a dot in a name.
      if (fields.has(field.replace(/\\(.)/g, "$1")) || fields.has(field.split(/[.[]/)[0]!)) continue;
      throw new Error(
        `Figure "${figure}": ${channel} shows the field "${field}", which no row has (there are: ${[...fields].join(", ") || "none"}).`,
      );
    }
  }
}

function hasTitle(channel: ChannelDef): boolean {
  return channel.title !== undefined || channel.axis === null || channel.axis?.title !== undefined;
}

function checkTitles(figure: string, layers: readonly Scope["encoding"][]): void {
  for (const axis of ["x", "y"] as const) {
    const shown = layers
      .flatMap((encoding) => encoding[axis] ?? [])
      .filter((def) => def.field !== undefined || def.aggregate !== undefined);
    if (shown.length > 0 && !shown.some(hasTitle)) {
      throw new Error(
        `Figure "${figure}": its ${axis} axis has no title; give ${axis} a title with its unit, or title: null.`,
      );
    }
  }
}

/** The encoding of a layer with the titles that another layer gives to their common axes. */
function titled(layer: ChartSpec, layers: readonly Scope["encoding"][]): Pick<ChartSpec, "encoding"> {
  const encoding: Record<string, ChannelDef | undefined> = { ...(layer.encoding as Scope["encoding"]) };
  for (const axis of ["x", "y"]) {
    if (encoding[axis] && layers.some((other) => other[axis] && hasTitle(other[axis])))
      encoding[axis] = { ...encoding[axis], title: null };
  }
  return { encoding: encoding as NonNullable<ChartSpec["encoding"]> };
}
