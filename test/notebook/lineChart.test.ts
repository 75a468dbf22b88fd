import { describe, expect, it } from "vitest";
import { lineChart, sideBySide, smallMultiples } from "../../src/notebook/lineChart.js";
import { inspect, renderSvg } from "../../src/notebook/render.js";
import type { ChartSpec, Row } from "../../src/notebook/spec.js";

const rows = ["IWAE", "VAE"].flatMap((bound, i) =>
  [1, 10, 100].map((k): Row => ({ k, value: -1 / k - i, se: 0.1 / k, bound })),
);
const chart = lineChart({
  rows,
  x: { field: "k", title: "samples k", scale: "log", ticks: [1, 10, 100] },
  y: { field: "value", title: "bound, nats" },
  standardError: "se",
  series: { field: "bound" },
  references: [{ value: -0.2, label: "log p(x)" }],
});
const drawn = (made: typeof chart): ChartSpec => ({ data: { values: made.data as readonly Row[] }, ...made.spec });

describe("lineChart", () => {
  it("draws one line, one band of ± 1 s.e. and three points a series, and each reference once", async () => {
    const svg = await renderSvg(drawn(chart));
    const marks = (kind: string): number => svg.match(new RegExp(`aria-roledescription="${kind}"`, "g"))?.length ?? 0;
    expect([marks("line mark"), marks("area mark"), marks("point")]).toEqual([2, 2, 6]);
    expect(svg.match(/stroke-dasharray="2,2"/g)).toHaveLength(1);
    expect(svg.match(/>log p\(x\)</g)).toHaveLength(1);
    expect((chart.data as Row[])[1]).toMatchObject({ below: -0.1 - 0.01, above: -0.1 + 0.01 });
    expect(svg).toContain(">IWAE</text>");
    expect(svg).toContain("stroke-dasharray");
  });

  it("shows every tick that it is given, also more than the theme's on a logarithmic axis", async () => {
    const ticks = [1, 2, 5, 10, 20, 50, 100];
    const made = lineChart({
      rows,
      x: { field: "k", title: "k", scale: "log", ticks },
      y: { field: "value", title: "bound" },
    });
    const svg = await renderSvg(drawn(made));
    for (const tick of ticks) expect(svg).toContain(`>${tick}</text>`);
  });

  it("has a place for 0 on an axis that is logarithmic far from it", async () => {
    const steps = [0, 10, 100, 1000];
    const made = lineChart({
      rows: steps.map((step) => ({ step, value: -step })),
      x: { field: "step", title: "step", scale: "symlog", ticks: steps },
      y: { field: "value", title: "value", scale: "symlog", domain: [-1000, 0], ticks: [-1000, -10, 0] },
    });
    expect((await inspect(drawn(made))).warnings).toEqual([]);
    const svg = await renderSvg(drawn(made));
    const points = [...svg.matchAll(/aria-label="step: (\d+)[^"]*"[^>]*transform="translate\(([\d.]+),([\d.]+)\)/g)];
    const [none, ten, hundred, thousand] = points.map(([, , x]) => Number(x));
    expect(none).toBe(0);
    // log(1 + |step|): about as far from 10 to 100 as from 100 to 1000.
    expect((hundred - ten) / (thousand - hundred)).toBeCloseTo(Math.log(101 / 11) / Math.log(1001 / 101), 2);
    for (const tick of ["0", "10", "100", "1,000"]) expect(svg).toContain(`>${tick}</text>`);
  });

  it("draws without a warning, alone and as small multiples in the order of the data", async () => {
    expect((await inspect(drawn(chart))).warnings).toEqual([]);
    const many = lineChart({ rows, x: { field: "k", title: "k" }, y: { field: "value", title: "bound" } });
    const multiples = smallMultiples(many, { field: "bound", columns: 2, order: ["VAE", "IWAE"] });
    const { warnings } = await inspect(drawn(multiples));
    expect(warnings).toEqual([]);
    const svg = await renderSvg(drawn(multiples), { width: 648 });
    expect(svg.indexOf(">VAE<")).toBeGreaterThan(0);
    expect(svg.indexOf(">VAE<")).toBeLessThan(svg.indexOf(">IWAE<"));
    expect(Number(/width="([\d.]+)"/.exec(svg)?.[1])).toBeCloseTo(648, -0.5);
  });

  it("writes long names out, so many in a row of the legend", async () => {
    const names = ["score, control variate held out", "Rao–Blackwell, leave-one-out", "Gumbel-softmax, τ = 0.5"];
    const long = names.flatMap((name, i) => [1, 10].map((k) => ({ k, value: i + k, name })));
    const axes = { x: { field: "k", title: "k" }, y: { field: "value", title: "v" } };
    const heights = [1, 3].map(async (columns) => {
      const { spec } = lineChart({ rows: long, ...axes, series: { field: "name", columns } });
      const svg = await renderSvg({ ...spec, data: { values: long } });
      for (const name of names) expect(svg).toContain(`>${name}</text>`);
      return Number(/height="([\d.]+)"/.exec(svg)?.[1]);
    });
    const [three, one] = await Promise.all(heights);
    expect(three).toBeGreaterThan(one);
  });

  it("refuses more lines than can be told apart, and a negative error", () => {
    const axes = { x: { field: "k", title: "k" }, y: { field: "value", title: "v" } };
    const eight = Array.from({ length: 8 }, (_, i) => ({ k: 1, value: 1, se: 1, s: `line ${i}` }));
    expect(() => lineChart({ rows: eight, ...axes, series: { field: "s" } })).toThrow("tells 7 lines apart, not 8");
    expect(() => lineChart({ rows: [{ k: 1, value: 1, se: -1 }], ...axes, standardError: "se" })).toThrow(
      "cannot be negative",
    );
  });
});

describe("sideBySide", () => {
  it("draws each chart with its own rows and axis, and one legend for all", async () => {
    const order = ["IWAE", "VAE"];
    const of = (bound: string, scale: number) =>
      lineChart({
        rows: rows.filter((row) => row.bound === bound).map((row) => ({ ...row, value: scale * Number(row.value) })),
        x: { field: "k", title: "samples k", scale: "log", ticks: [1, 10, 100] },
        y: { field: "value", title: `${bound}, nats` },
        series: { field: "bound", order },
      });
    const made = sideBySide([of("IWAE", 1), of("VAE", 1000)]);
    const named = made.data as Record<string, readonly Row[]>;
    expect(Object.values(named).map(({ length }) => length)).toEqual([3, 3]);
    expect(made.numbers).toHaveLength(6);
    const full: ChartSpec = { ...made.spec, datasets: named };
    expect((await inspect(full)).warnings).toEqual([]);
    const svg = await renderSvg(full);
    for (const label of order) expect(svg.match(new RegExp(`>${label}</text>`, "g"))).toHaveLength(1);
    for (const label of order) expect(svg).toContain(`>${label}, nats</text>`);
    expect(svg.match(/aria-roledescription="line mark"/g)).toHaveLength(2);
    expect(svg).toContain(">−2,000</text>");
    expect(svg).toContain(">−0.4</text>");
  });

  it("refuses no charts, and one without rows", () => {
    expect(() => sideBySide([])).toThrow("at least one");
    expect(() => sideBySide([chart, { spec: {} }])).toThrow("Chart 2");
  });
});
