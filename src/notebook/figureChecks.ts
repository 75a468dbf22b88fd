/** What Vega-Lite would draw wrong without a word. */
import type { ChannelDef, ChartSpec, Json, JsonObject, Row } from "./spec.js";

/** Sets of rows by the names that a chart calls them by. @internal */
export type Datasets = { readonly [name: string]: readonly Row[] };

/** Refuses a set of rows that is empty, or holds a number that is not finite. @internal */
export function checkRows(figure: string, dataset: string, rows: readonly Row[]): void {
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

interface Scope {
  /** Fields that rows have here, or undefined where a transformation makes them unknowable. */
  readonly fields: ReadonlySet<string> | undefined;
  readonly encoding: Readonly<Record<string, ChannelDef | undefined>>;
}

/** Finds what Vega-Lite would draw wrong without a word: fields that no row has, and axes without a title. @internal */
export function checkSpec(figure: string, spec: ChartSpec, datasets: Datasets): void {
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
