/** Densities on the plane as contours, with the samples that are to follow them. */
import { type ContourLine, contourLines, massLevels } from "./contourLines.js";
import type { Chart } from "./figure.js";
import type { GridAxis } from "./heatmaps.js";
import type { ChartSpec, Row } from "./spec.js";
import { palette } from "./theme.js";

/** Samples beside a density. */
export interface ContourPanel {
  /** The panel's label. */
  readonly title: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** One density with panels of samples, which share its contours and axes. */
export interface ContourRow {
  /** The density's name, at the left. */
  readonly title: string;
  readonly x: GridAxis;
  readonly y: GridAxis;
  /** The density: `values[j · x.points + i]` at (x_i, y_j). */
  readonly values: ArrayLike<number>;
  /** The contours' levels, lowest share first. Default: {@link massLevels} of these values, for a grid that holds nearly all of the mass. */
  readonly levels?: readonly number[];
  readonly panels: readonly ContourPanel[];
}

/** Options of {@link contours}. */
export interface ContourOptions {
  readonly rows: readonly ContourRow[];
  /** Shares of the mass that the contours enclose, where a row gives no levels. Default .25, .5, .75 and .95. */
  readonly shares?: readonly number[];
}

/** Width of a panel before the figure is fitted. */
const side = 130;

/**
 * Contours of densities, drawn over samples: a row of panels for each density, with equal units on both of its axes.
 *
 * A contour encloses a given share of the density's mass, so that samples from it would fall inside in that proportion. Points beyond the axes are not
 * drawn. The CSV holds the samples.
 *
 * @throws Error if there are no rows, a row has no panels, a share is not in (0, 1), or as {@link contourLines}.
 */
export function contours({ rows, shares = [0.25, 0.5, 0.75, 0.95] }: ContourOptions): Chart {
  if (rows.length === 0) throw new Error("contours needs at least one density.");
  const data: Record<string, readonly Row[]> = {};
  const numbers: Row[] = [];
  const vconcat = rows.map((row, r): ChartSpec => {
    if (row.panels.length === 0) throw new Error(`contours: the density "${row.title}" has no panel.`);
    const levels = row.levels ?? massLevels(row.values, shares);
    data[`contours${r + 1}`] = levels.flatMap((level, l) =>
      contourLines(row, level).flatMap((line, i) => lineRows(line, { level, line: `${l}.${i}` })),
    );
    data[`samples${r + 1}`] = row.panels.flatMap(({ title, points }) =>
      points.map(({ x, y }): Row => ({ panel: title, x: round(x), y: round(y) })),
    );
    numbers.push(...data[`samples${r + 1}`]!.map((point) => ({ density: row.title, ...point })));
    return { hconcat: row.panels.map((_, p) => panelSpec(row, p, r)), spacing: 14, bounds: "flush" };
  });
  // Rows keep apart by all that belongs to them: a row of panels has no plotting area of its own whose bounds would do.
  return { spec: { vconcat, spacing: 10 }, data, numbers };
}

function panelSpec(row: ContourRow, p: number, r: number): ChartSpec {
  const { title } = row.panels[p]!;
  const axis = (field: "x" | "y", { from, to, title }: GridAxis, shown: boolean) =>
    ({
      field,
      type: "quantitative",
      title: shown && field === "y" ? [row.title, title] : title,
      scale: { domain: [from, to], nice: false, zero: false },
      axis: {
        grid: false,
        tickCount: 4,
        ...(field === "x" && { labelFlush: true }),
        ...(!shown && { labels: false, title: null }),
      },
    }) as const;
  const encoding = { x: axis("x", row.x, true), y: axis("y", row.y, p === 0) };
  return {
    ...(r === 0 && { title: { text: title, anchor: "middle", fontWeight: "normal" } }),
    width: side,
    height: (side * (row.y.to - row.y.from)) / (row.x.to - row.x.from),
    view: { stroke: "#222222", strokeWidth: 0.75 },
    layer: [
      {
        data: { name: `samples${r + 1}` },
        transform: [{ filter: { field: "panel", equal: title } }],
        mark: { type: "circle", size: 5, opacity: 0.7, color: palette[1]!, clip: true, tooltip: null },
        encoding,
      },
      {
        data: { name: `contours${r + 1}` },
        mark: { type: "line", stroke: "#222222", strokeWidth: 0.8, clip: true, tooltip: null },
        encoding: {
          ...encoding,
          detail: { field: "line", type: "nominal" },
          order: { field: "order", type: "quantitative" },
        },
      },
    ],
  };
}

function lineRows(line: ContourLine, of: { readonly level: number; readonly line: string }): Row[] {
  return line.map(({ x, y }, order) => ({ ...of, order, x: round(x), y: round(y) }));
}

/** Four digits are more than a panel can show. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}
