import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ChannelDef, type ChartSpec, type Row, renderPng, renderSvg } from "marginalia";
import { titles } from "./options.js";
import type { Scaled } from "./scaling.js";
import type { Timed } from "./steps.js";

/** Every way to run a step in the order of a legend: its name there, its colour (Okabe and Ito's) and its shape. */
const series = [
  { of: "marginalia compiled", label: "marginalia", colour: "#0072B2", shape: "circle" },
  { of: "marginalia xla", label: "marginalia XLA", colour: "#000000", shape: "circle" },
  { of: "marginalia loop-xla", label: "marginalia XLA ×100", colour: "#000000", shape: "square" },
  { of: "marginalia eager", label: "marginalia eager", colour: "#56B4E9", shape: "circle" },
  { of: "jax jit", label: "JAX jit", colour: "#D55E00", shape: "triangle-up" },
  { of: "jax loop", label: "JAX jit ×100", colour: "#D55E00", shape: "triangle-down" },
  { of: "torch eager", label: "PyTorch eager", colour: "#009E73", shape: "diamond" },
  { of: "torch compile", label: "PyTorch compile", colour: "#CC79A7", shape: "cross" },
] as const;

const labelOf = ({ framework, variant }: Timed): string | undefined =>
  series.find(({ of }) => of === `${framework} ${variant}`)?.label;

/** Colour and shape of the series that are there. */
function marksOf(rows: readonly Row[]): { readonly color: ChannelDef; readonly shape: ChannelDef } {
  const present = series.filter(({ label }) => rows.some((row) => row.series === label));
  const channel = (range: readonly string[]): ChannelDef => ({
    field: "series",
    type: "nominal",
    title: null,
    legend: { columns: 2, symbolOpacity: 1, labelLimit: 0 },
    scale: { domain: present.map(({ label }) => label), range },
  });
  return { color: channel(present.map(({ colour }) => colour)), shape: channel(present.map(({ shape }) => shape)) };
}

const decades = [0.01, 0.1, 1, 10, 100, 1000];

/** The legend stands over the axis' labels too: a column has no room beside them. */
const config = { legend: { layout: { top: { anchor: "middle", bounds: "full" } } } };

/** Median and quartiles of a step in every framework, one line a workload. */
export function stepsChart(timed: readonly Timed[]): ChartSpec {
  const rows = timed.flatMap((row): Row[] => {
    const { workload, median, low, high } = row;
    const label = labelOf(row);
    if (label === undefined || median === undefined) return [];
    return [{ series: label, workload: titles[workload], median, low: low!, high: high! }];
  });
  const order = Object.values(titles).filter((title) => rows.some(({ workload }) => workload === title));
  const { color, shape } = marksOf(rows);
  const y: ChannelDef = {
    field: "workload",
    type: "nominal",
    title: null,
    sort: order,
    axis: { grid: true, ticks: false },
  };
  // Every way has a height of its own, or equal ones would hide each other.
  const yOffset: ChannelDef = { field: "series", type: "nominal", sort: series.map(({ label }) => label) };
  const x = (field: string): ChannelDef => ({
    field,
    type: "quantitative",
    title: "milliseconds a step",
    scale: { type: "log", nice: false, padding: 6 },
    axis: { values: decades.flatMap((tick) => [tick, 3 * tick]), format: "~r", tickCount: 12 },
  });
  return {
    config,
    data: { values: rows },
    width: 230,
    height: 42 * order.length,
    layer: [
      {
        mark: { type: "rule", strokeWidth: 2, opacity: 0.45 },
        encoding: { y, yOffset, x: x("low"), x2: { field: "high" }, color },
      },
      { mark: { type: "point", size: 34, filled: true }, encoding: { y, yOffset, x: x("median"), color, shape } },
    ],
  };
}

/** Least time of a step against one size, the others as in the table; a panel a size. */
export function scalingChart(scaled: readonly Scaled[]): ChartSpec {
  const rows = scaled.flatMap((row): Row[] => {
    const { workload, size, value, min } = row;
    const label = labelOf(row);
    return label === undefined || min === undefined ? [] : [{ series: label, workload, size, value, min }];
  });
  const { color, shape } = marksOf(rows);
  const panels = [...new Set(rows.map(({ workload, size }) => `${workload} ${size}`))];
  const panel = (name: string): ChartSpec => {
    const own = rows.filter(({ workload, size }) => `${workload} ${size}` === name);
    const values = [...new Set(own.map(({ value }) => value))];
    const [workload, size] = name.split(" ");
    const encoding = {
      x: {
        field: "value",
        type: "quantitative",
        title: `${titles[workload].slice(2)}: ${size}`,
        scale: { type: "log", nice: false, padding: 5 },
        axis: { values, tickCount: values.length, format: "~r", labelOverlap: false },
      },
      y: {
        field: "min",
        type: "quantitative",
        title: "ms a step",
        scale: { type: "log", nice: false, padding: 5 },
        axis: { values: decades.flatMap((tick) => [tick, 2 * tick, 5 * tick]), format: "~r" },
      },
      color,
    } as const;
    return {
      data: { values: own },
      width: 110,
      height: 90,
      layer: [
        { mark: { type: "line", strokeWidth: 1.2 }, encoding },
        { mark: { type: "point", size: 26, filled: true }, encoding: { ...encoding, shape } },
      ],
    };
  };
  return { config, columns: 2, spacing: { row: 14, column: 18 }, concat: panels.map(panel) };
}

/** Writes a chart as Vega-Lite, SVG and 300-dpi PNG, one column (3.25 in) wide. */
export async function writeFigure(folder: string, name: string, chart: ChartSpec): Promise<void> {
  const width = 3.25 * 96;
  writeFileSync(join(folder, `${name}.vl.json`), `${JSON.stringify(chart)}\n`);
  writeFileSync(join(folder, `${name}.svg`), await renderSvg(chart, { width }));
  writeFileSync(join(folder, `${name}.png`), await renderPng(chart, { width }));
}
