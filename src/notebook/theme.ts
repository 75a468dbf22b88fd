/** The look of every figure: sizes of a two-column page, a palette that colour-blind readers can tell apart, and thin lines. */
import { fontStack } from "./fonts.js";
import type { JsonObject } from "./spec.js";

/** CSS pixels per inch: sizes in a specification are these pixels. */
export const pixelsPerInch = 96;

/** Widths of a figure in inches: one column, or the page. */
export const figureWidths = { column: 3.25, page: 6.75 } as const;

/** How wide a figure is. */
export type FigureWidth = keyof typeof figureWidths;

/** Okabe and Ito's palette (black last, yellow left out: it fades on white), each colour told apart by lightness as well. */
export const palette: readonly string[] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];

/** Dash patterns that go with the palette, so that colour is never the only difference. */
export const dashes: readonly (readonly number[])[] = [
  [1, 0],
  [5, 2],
  [1.5, 1.5],
  [7, 2, 1.5, 2],
  [3, 1],
  [9, 3],
  [5, 2, 1.5, 2, 1.5, 2],
];

/** Shapes that go with the palette. */
export const shapes: readonly string[] = [
  "circle",
  "square",
  "triangle-up",
  "diamond",
  "cross",
  "triangle-down",
  "triangle-right",
];

/** Room between panels whose bounds are their plotting areas: labels stand between rows. */
export const panelSpacing = { row: 30, column: 14 } as const;

const pt = (points: number): number => Math.round((points * pixelsPerInch * 100) / 72) / 100;
const ink = "#222222";
const faint = "#e4e4e4";

/** The project's Vega-Lite config: 8 pt labels, 9 pt titles. */
export const theme: JsonObject = {
  background: "white",
  font: fontStack,
  padding: 2,
  view: { stroke: null, continuousWidth: 240, continuousHeight: 150, discreteWidth: 240, discreteHeight: 150 },
  axis: {
    labelFontSize: pt(8),
    titleFontSize: pt(9),
    titleFontWeight: "normal",
    labelColor: ink,
    titleColor: ink,
    domainColor: ink,
    domainWidth: 0.75,
    tickColor: ink,
    tickWidth: 0.75,
    tickSize: 3,
    gridColor: faint,
    gridWidth: 0.5,
    labelPadding: 3,
    titlePadding: 5,
    labelOverlap: true,
    labelFlush: false,
    tickCount: 5,
  },
  legend: {
    labelFontSize: pt(8),
    titleFontSize: pt(8),
    titleFontWeight: "normal",
    labelColor: ink,
    titleColor: ink,
    symbolStrokeWidth: 1.5,
    symbolSize: 50,
    rowPadding: 2,
    columnPadding: 10,
    orient: "top",
    direction: "horizontal",
    offset: 6,
    titleOrient: "left",
    titlePadding: 6,
    gradientThickness: 8,
    gradientLength: 90,
  },
  header: {
    labelFontSize: pt(9),
    titleFontSize: pt(9),
    labelFontWeight: "normal",
    titleFontWeight: "normal",
    labelColor: ink,
    titleColor: ink,
    labelPadding: 4,
  },
  title: { fontSize: pt(9), fontWeight: "normal", color: ink, anchor: "middle", offset: 4 },
  concat: { spacing: 12 },
  facet: { spacing: 12 },
  mark: { color: palette[0]!, tooltip: true },
  line: { strokeWidth: 1.5 },
  rule: { strokeWidth: 0.75, color: ink },
  area: { opacity: 1 },
  point: { size: 22, filled: true, opacity: 1 },
  circle: { size: 16, opacity: 1 },
  text: { fontSize: pt(8), color: ink },
  bar: { binSpacing: 0 },
  errorband: { opacity: 0.22 },
  range: {
    category: palette,
    symbol: shapes,
    ramp: { scheme: "viridis" },
    heatmap: { scheme: "viridis" },
    diverging: { scheme: "purpleorange" },
    ordinal: { scheme: "viridis" },
  },
};
