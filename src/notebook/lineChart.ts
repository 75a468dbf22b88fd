/** Lines with bands, and small multiples of any chart. */
import type { Chart } from "./figure.js";
import type { ChannelDef, ChartSpec, Json, JsonObject, Row } from "./spec.js";
import { dashes, palette, panelSpacing, shapes } from "./theme.js";

/** An axis of a chart. */
export interface AxisOptions {
  /** Field of the rows. */
  readonly field: string;
  /** Title with the unit. */
  readonly title: string;
  /** Default `linear`; `symlog` is logarithmic far from 0 and linear near it, so that 0 itself has a place. */
  readonly scale?: "linear" | "log" | "sqrt" | "symlog";
  /** Ends of the axis (default: those of the data). */
  readonly domain?: readonly [number, number];
  /** Where the ticks stand, such as the k of a run. */
  readonly ticks?: readonly number[];
  /** Format of the tick labels in d3's notation. */
  readonly format?: string;
}

/** A horizontal line drawn across a chart, such as an exact value. */
export interface ReferenceLine {
  readonly value: number;
  readonly label: string;
}

/** Options of {@link lineChart}. */
export interface LineChartOptions {
  readonly rows: readonly Row[];
  readonly x: AxisOptions;
  readonly y: AxisOptions;
  /** The field that holds the standard error of y; the band is y ± 1 s.e. */
  readonly standardError?: string;
  /** The field that tells the lines apart, by colour, dash and shape together. */
  readonly series?: {
    readonly field: string;
    readonly title?: string;
    /** Order of the lines (default: as they appear). */
    readonly order?: readonly string[];
    /** How many names stand in a row of the legend (default: all, each cut to what fits); with it they are written out. */
    readonly columns?: number;
  };
  /** Marks each value by the shape of its series (default: where a line has 15 values or fewer). */
  readonly points?: boolean;
  readonly references?: readonly ReferenceLine[];
  /** Size of the plotting area before it is fitted to the figure's width. */
  readonly width?: number;
  readonly height?: number;
}

const band = { low: "below", high: "above" } as const;

function position({ field, title, scale, domain, ticks, format }: AxisOptions, nice: boolean): ChannelDef {
  return {
    field,
    type: "quantitative",
    title,
    scale: {
      ...(scale && { type: scale }),
      ...(domain
        ? { domain, nice: false }
        : scale === "log" || scale === "symlog"
          ? { nice: false }
          : { zero: false, nice }),
    },
    // Without its own count Vega thins the given ticks of a logarithmic axis to the theme's.
    axis: { ...(ticks && { values: ticks, tickCount: ticks.length }), ...(format !== undefined && { format }) },
  };
}

/**
 * Lines of y against x, each with a band of ± 1 standard error, told apart by colour, dash and shape.
 *
 * @throws Error if there are more series than the palette has colours, or a standard error is negative.
 */
export function lineChart(options: LineChartOptions): Chart {
  const { x, y, standardError, series, references = [] } = options;
  const names = series ? [...(series.order ?? new Set(options.rows.map((row) => String(row[series.field]))))] : [];
  if (names.length > palette.length) {
    throw new Error(`A line chart tells ${palette.length} lines apart, not ${names.length}: use small multiples.`);
  }
  const rows = options.rows.map((row): Row => {
    const [value, error] = [row[y.field], standardError === undefined ? undefined : row[standardError]];
    if (typeof value !== "number" || typeof error !== "number") return row;
    if (error < 0) throw new Error(`A line chart's standard error is ${error}: it cannot be negative.`);
    return { ...row, [band.low]: value - error, [band.high]: value + error };
  });
  const perLine = options.rows.length / Math.max(1, names.length);
  const style = (range: readonly Json[], legend: JsonObject | null): ChannelDef | undefined =>
    series && {
      field: series.field,
      type: "nominal",
      title: series.title ?? null,
      sort: null,
      scale: { domain: names, range: range.slice(0, names.length) },
      legend: names.length < 2 ? null : legend,
    };
  const points = options.points ?? perLine <= 15;
  const legend = {
    ...(points ? { symbolSize: 60, symbolOpacity: 1 } : { symbolType: "stroke", symbolSize: 260, symbolOpacity: 1 }),
    ...(series?.columns !== undefined && { columns: series.columns, labelLimit: 0 }),
  };
  const color = style(palette, legend);
  const across = position(x, false);
  const up = position(y, true);
  const layers: ChartSpec[] = [];
  if (standardError !== undefined) {
    layers.push({
      mark: { type: "area", opacity: 0.2, line: false },
      encoding: { x: across, y: { ...up, field: band.low }, y2: { field: band.high }, ...(color && { color }) },
    });
  }
  if (points) {
    // Dashes as an encoding would fray the legend's shapes, so each line has its own.
    const lines = series ? names.map((name) => ({ field: series.field, equal: name })) : [undefined];
    lines.forEach((filter, i) => {
      // The order may name a series that only another chart has; a layer without rows has no extent.
      if (filter && !options.rows.some((row) => String(row[filter.field]) === filter.equal)) return;
      layers.push({
        ...(filter && { transform: [{ filter }] }),
        mark: { type: "line", strokeDash: dashes[i]! },
        encoding: { x: across, y: up, ...(color && { color }) },
      });
    });
    const shape = style(shapes, legend);
    layers.push({ mark: "point", encoding: { x: across, y: up, ...(color && { color }), ...(shape && { shape }) } });
  } else {
    const strokeDash = style(dashes, legend);
    layers.push({
      mark: "line",
      encoding: { x: across, y: up, ...(color && { color }), ...(strokeDash && { strokeDash }) },
    });
  }
  for (const { value, label } of references) {
    const data = { values: [{ [y.field]: value, label }] };
    const at = { field: y.field, type: "quantitative" } as const;
    layers.push(
      { data, mark: { type: "rule", strokeDash: [2, 2] }, encoding: { y: at } },
      {
        data,
        mark: { type: "text", align: "right", baseline: "bottom", dx: -1, dy: -1 },
        encoding: { x: { value: "width" }, y: at, text: { field: "label", type: "nominal" } },
      },
    );
  }
  return {
    spec: {
      width: options.width ?? 240,
      height: options.height ?? 150,
      layer: layers,
    },
    data: rows,
    numbers: options.rows,
  };
}

/**
 * The same chart once for each value of a field, on common axes.
 *
 * @param by The field, the title of each panel's group (`null` for none) and the number of panels in a row.
 */
export function smallMultiples(
  chart: Chart,
  by: {
    readonly field: string;
    readonly title?: string | null;
    readonly columns: number;
    readonly order?: readonly string[];
  },
): Chart {
  const rows = Array.isArray(chart.data) ? (chart.data as readonly Row[]) : [];
  const order = by.order ?? [...new Set(rows.map((row) => row[by.field]!))];
  return {
    ...chart,
    spec: {
      facet: { field: by.field, type: "nominal", title: by.title ?? null, sort: order },
      columns: by.columns,
      bounds: "flush",
      spacing: panelSpacing,
      spec: chart.spec,
    },
  };
}

/**
 * Line charts beside each other, each with its own rows and axes, and one legend: give all the same `series.order`.
 *
 * @throws Error if there is no chart, or one has no rows of its own.
 */
export function sideBySide(charts: readonly Chart[]): Chart {
  if (charts.length === 0) throw new Error("sideBySide needs at least one chart.");
  const rows = charts.map(({ data }, i) => {
    if (!Array.isArray(data)) throw new Error(`Chart ${i + 1} of sideBySide has no rows of its own.`);
    return data as readonly Row[];
  });
  const name = (i: number): string => `chart${i + 1}`;
  return {
    spec: {
      hconcat: charts.map(({ spec }, i) => ({ ...spec, data: { name: name(i) } })),
      resolve: { scale: { color: "shared", strokeDash: "shared", shape: "shared" } },
    },
    data: Object.fromEntries(rows.map((own, i) => [name(i), own])),
    numbers: charts.flatMap(({ numbers }, i) => numbers ?? rows[i]!),
  };
}
