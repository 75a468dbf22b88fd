/** Functions on a grid as images: light in a notebook, sharp in print, with true axes. */
import type { Chart } from "./figure.js";
import { encodePng, enlarge, type Raster } from "./png.js";
import type { ChartSpec, Row } from "./spec.js";
import { panelSpacing } from "./theme.js";

/** One function on the grid. */
export interface HeatmapPanel {
  /** The panel's label. */
  readonly title: string;
  /** `values[j · columns + i]` is the value at (x_i, y_j), x and y ascending. */
  readonly values: ArrayLike<number>;
}

/** One axis of a grid: `points` values from `from` to `to`, ends included, equally spaced. */
export interface GridAxis {
  readonly title: string;
  readonly from: number;
  readonly to: number;
  readonly points: number;
}

/** Options of {@link heatmaps}. */
export interface HeatmapOptions {
  readonly panels: readonly HeatmapPanel[];
  readonly x: GridAxis;
  readonly y: GridAxis;
  /** Panels in a row (default: all in one). */
  readonly columns?: number;
  /**
   * `shared` (default): one colour scale from 0, with a legend, so that panels can be compared; `each`: every panel from its own 0 to its own maximum,
   * so that shapes can be compared where heights differ (say so in the caption).
   */
  readonly colours?: "shared" | "each";
  /** Title of the colour legend of a shared scale. */
  readonly legend?: string;
  /** Points drawn over every panel, or over the one they name: `{ x, y, panel? }`. */
  readonly marks?: readonly { readonly x: number; readonly y: number; readonly panel?: string }[];
  /** Lines drawn over every panel, or over the one they name, such as the ellipse of a Gaussian. */
  readonly curves?: readonly {
    readonly points: readonly { readonly x: number; readonly y: number }[];
    readonly panel?: string;
  }[];
}

/** Stops of viridis (van der Walt and Smith, 2015), which is even in lightness and safe for colour-blind readers. */
const viridis = [
  "#440154",
  "#482878",
  "#3e4989",
  "#31688e",
  "#26828e",
  "#1f9e89",
  "#35b779",
  "#6ece58",
  "#b5de2b",
  "#fde725",
];

const levels = 256;

/** The 256 colours of a raster's palette. */
function ramp(): [number, number, number][] {
  const stops = viridis.map((hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
  return Array.from({ length: levels }, (_, level) => {
    const at = (level / (levels - 1)) * (stops.length - 1);
    const below = Math.min(Math.floor(at), stops.length - 2);
    const mixed = stops[below]!.map((channel, c) =>
      Math.round(channel + (at - below) * (stops[below + 1]![c]! - channel)),
    );
    return mixed as [number, number, number];
  });
}

function raster(
  values: ArrayLike<number>,
  columns: number,
  rows: number,
  [low, high]: readonly [number, number],
): Raster {
  const pixels = new Uint8Array(columns * rows);
  const scale = high > low ? (levels - 1) / (high - low) : 0;
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      // An image begins at the top, a grid at the bottom.
      pixels[(rows - 1 - j) * columns + i] = Math.round(
        Math.min(levels - 1, Math.max(0, (values[j * columns + i]! - low) * scale)),
      );
    }
  }
  return { width: columns, height: rows, pixels, palette: ramp() };
}

/**
 * Heat maps of functions on one grid, side by side, with equal scales on both axes where their units are the same.
 *
 * Each panel is a palette image of a few kilobytes under real axes; the values go into the figure's CSV.
 *
 * @throws Error if a panel's values do not fit the grid or are not finite.
 */
export function heatmaps(options: HeatmapOptions): Chart {
  const { panels, x, y } = options;
  if (panels.length === 0) throw new Error("A heat map needs at least one panel.");
  for (const { title, values } of panels) {
    if (values.length !== x.points * y.points) {
      throw new Error(
        `The panel "${title}" has ${values.length} values, the grid ${x.points} × ${y.points} = ${x.points * y.points}.`,
      );
    }
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i]))
        throw new Error(`The panel "${title}" is ${values[i]} at grid point ${i}: it has no colour.`);
    }
  }
  const shared = (options.colours ?? "shared") === "shared";
  const ranges = panels.map(({ values }) => range(values));
  const all: [number, number] = [
    Math.min(0, ...ranges.map(([low]) => low)),
    Math.max(...ranges.map(([, high]) => high)),
  ];
  const step = (axis: GridAxis): number => (axis.to - axis.from) / (axis.points - 1);
  const [dx, dy] = [step(x), step(y)];
  // Few grid points would be blurred by viewers that smooth images.
  const factor = Math.max(1, Math.ceil(400 / Math.max(x.points, y.points)));
  const images = panels.map(({ title, values }, i): Row => {
    const [low, high] = ranges[i]!;
    const picture = raster(values, x.points, y.points, shared ? all : [Math.min(0, low), high]);
    return {
      panel: title,
      url: `data:image/png;base64,${encodePng(enlarge(picture, factor)).toString("base64")}`,
      x: x.from - dx / 2,
      x2: x.to + dx / 2,
      y: y.from - dy / 2,
      y2: y.to + dy / 2,
    };
  });
  const axis = (title: string, { from, to }: GridAxis) =>
    ({
      type: "quantitative",
      title,
      scale: { domain: [from, to], nice: false, zero: false },
      axis: { grid: false, tickCount: 5 },
    }) as const;
  const side = 130;
  const layers: ChartSpec[] = [
    {
      mark: { type: "image", aspect: false, tooltip: null, clip: true },
      encoding: {
        // Panels stand close: the outermost labels must not reach into the next one.
        x: { field: "x", ...axis(x.title, x), axis: { grid: false, tickCount: 5, labelFlush: true } },
        x2: { field: "x2" },
        y: { field: "y", ...axis(y.title, y) },
        y2: { field: "y2" },
        url: { field: "url", type: "nominal" },
      },
    },
  ];
  if (shared) {
    layers.push({
      mark: { type: "point", opacity: 0, tooltip: null },
      encoding: {
        x: { field: "x", type: "quantitative" },
        y: { field: "y", type: "quantitative" },
        color: {
          datum: all[0],
          type: "quantitative",
          title: options.legend ?? null,
          scale: { domain: all, range: viridis, nice: false, zero: false },
          legend: { format: ".2~g", tickCount: 3 },
        },
      },
    });
  }
  const over = (panel?: string): readonly string[] =>
    panel === undefined ? panels.map(({ title }) => title) : [panel];
  const curves = (options.curves ?? []).flatMap(({ points, panel }, curve): Row[] =>
    over(panel).flatMap((name) => points.map(({ x: cx, y: cy }, order) => ({ panel: name, curve, order, cx, cy }))),
  );
  if (curves.length > 0) {
    layers.push({
      transform: [{ filter: "isValid(datum.curve)" }],
      mark: { type: "line", stroke: "white", strokeWidth: 1, clip: true, tooltip: null },
      encoding: {
        x: { field: "cx", type: "quantitative" },
        y: { field: "cy", type: "quantitative" },
        detail: { field: "curve", type: "nominal" },
        order: { field: "order", type: "quantitative" },
      },
    });
  }
  const marks = (options.marks ?? []).flatMap(({ x: mx, y: my, panel }): Row[] =>
    over(panel).map((name) => ({ panel: name, mx, my })),
  );
  if (marks.length > 0) {
    layers.push({
      mark: { type: "point", shape: "cross", size: 18, filled: false, stroke: "white", strokeWidth: 1, clip: true },
      encoding: { x: { field: "mx", type: "quantitative" }, y: { field: "my", type: "quantitative" } },
    });
  }
  return {
    spec: {
      facet: { field: "panel", type: "nominal", title: null, sort: panels.map(({ title }) => title) },
      columns: options.columns ?? panels.length,
      bounds: "flush",
      spacing: panelSpacing,
      spec: {
        width: side,
        height: (side * (y.to - y.from)) / (x.to - x.from),
        view: { stroke: "#222222", strokeWidth: 0.75 },
        layer: layers,
      },
    },
    data: [...images, ...curves, ...marks],
    numbers: panels.flatMap(({ title, values }) =>
      Array.from(
        { length: values.length },
        (_, i): Row => ({
          panel: title,
          x: Number((x.from + (i % x.points) * dx).toPrecision(6)),
          y: Number((y.from + Math.floor(i / x.points) * dy).toPrecision(6)),
          value: Number(values[i]!.toPrecision(6)),
        }),
      ),
    ),
  };
}

function range(values: ArrayLike<number>): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  return [low, high];
}
