/** Data in one dimension with what regressions make of them. */
import type { Chart } from "./figure.js";
import type { AxisOptions } from "./lineChart.js";
import type { ChartSpec, Row } from "./spec.js";
import { palette, panelSpacing } from "./theme.js";

/** One regression on the data. */
export interface RegressionPanel {
  /** The panel's label. */
  readonly title: string;
  /** The predictive mean along x, with the half-width of its band. */
  readonly curve: readonly { readonly x: number; readonly mean: number; readonly band: number }[];
  /** Inducing inputs, drawn as crosses: those of the start at the upper edge, the learned ones at the lower. */
  readonly before?: ArrayLike<number>;
  readonly after?: ArrayLike<number>;
  /** A second mean and band, drawn in dashes, such as the exact posterior's. */
  readonly reference?: readonly { readonly x: number; readonly mean: number; readonly band: number }[];
}

/** Options of {@link regressionChart}. */
export interface RegressionChartOptions {
  readonly data: readonly { readonly x: number; readonly y: number }[];
  readonly panels: readonly RegressionPanel[];
  /** Both axes need a domain: the crosses stand at its edges. */
  readonly x: Omit<AxisOptions, "field" | "scale">;
  readonly y: Omit<AxisOptions, "field" | "scale"> & { readonly domain: readonly [number, number] };
  /** Panels in a row (default: all in one). */
  readonly columns?: number;
  readonly width?: number;
  readonly height?: number;
}

/**
 * Regressions on one data set, a panel each: points, the predictive mean with its band, in dashes a reference, and crosses where the inducing inputs are.
 *
 * @throws Error if there is no panel, or two have one title.
 */
export function regressionChart(options: RegressionChartOptions): Chart {
  const { data, panels, x, y, columns = panels.length, width = 200, height = 150 } = options;
  if (panels.length === 0) throw new Error("regressionChart needs at least one panel.");
  if (new Set(panels.map(({ title }) => title)).size < panels.length)
    throw new Error("regressionChart: two panels have one title; name them apart.");
  const [low, high] = y.domain;
  const inset = 0.03 * (high - low);
  const lines = panels.flatMap(({ title, curve, reference = [] }) => {
    const rows = (what: string, points: RegressionPanel["curve"]): Row[] =>
      points.map((at) => ({
        panel: title,
        what,
        x: at.x,
        y: at.mean,
        below: at.mean - at.band,
        above: at.mean + at.band,
      }));
    return [...rows("mean", curve), ...rows("reference", reference)];
  });
  const crosses = panels.flatMap(({ title, before = [], after = [] }) => {
    const rows = (what: string, points: ArrayLike<number>, edge: number): Row[] =>
      Array.from(points, (at) => ({ panel: title, what, x: at, y: edge }));
    return [...rows("before", before, high - inset), ...rows("after", after, low + inset)];
  });
  const points = panels.flatMap(({ title }) =>
    data.map((at): Row => ({ panel: title, what: "data", x: at.x, y: at.y })),
  );
  const across = {
    field: "x",
    type: "quantitative",
    title: x.title,
    scale: { nice: false, zero: false, ...(x.domain && { domain: x.domain }) },
  } as const;
  const up = (field: string) =>
    ({ field, type: "quantitative", title: y.title, scale: { domain: y.domain, nice: false } }) as const;
  const only = (what: string) => [{ filter: { field: "what", equal: what } }];
  const layer: ChartSpec[] = [
    {
      transform: only("data"),
      mark: { type: "point", size: 8, color: "#777777", clip: true },
      encoding: { x: across, y: up("y") },
    },
    {
      transform: only("mean"),
      mark: { type: "area", opacity: 0.22, clip: true, color: palette[0]! },
      encoding: { x: across, y: up("below"), y2: { field: "above" } },
    },
    {
      transform: only("mean"),
      mark: { type: "line", clip: true, color: palette[0]! },
      encoding: { x: across, y: up("y") },
    },
  ];
  if (panels.some(({ reference }) => reference)) {
    for (const [field, dash] of [
      ["y", [5, 2]],
      ["below", [1.5, 1.5]],
      ["above", [1.5, 1.5]],
    ] as const)
      layer.push({
        transform: only("reference"),
        mark: { type: "line", strokeDash: dash, strokeWidth: 1, clip: true, color: "#000000" },
        encoding: { x: across, y: up(field) },
      });
  }
  for (const what of ["before", "after"])
    layer.push({
      transform: only(what),
      mark: { type: "point", clip: true, shape: "cross", size: 26, filled: true, color: palette[1]! },
      encoding: { x: across, y: up("y") },
    });
  const rows = [...points, ...lines, ...crosses];
  return {
    spec: {
      facet: { field: "panel", type: "nominal", title: null, sort: panels.map(({ title }) => title) },
      columns,
      spacing: panelSpacing,
      spec: { width, height, layer },
    },
    data: rows,
    numbers: rows.map((row): Row => ({ below: null, above: null, ...row })),
  };
}
