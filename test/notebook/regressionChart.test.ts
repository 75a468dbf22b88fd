import { describe, expect, it } from "vitest";
import { regressionChart } from "../../src/notebook/regressionChart.js";
import { inspect, renderSvg } from "../../src/notebook/render.js";
import type { ChartSpec, Row } from "../../src/notebook/spec.js";

const curve = [0, 1, 2].map((x) => ({ x, mean: x / 2, band: 0.3 }));
const axes = { x: { title: "x" }, y: { title: "y", domain: [-1, 2] as const } };
const chart = regressionChart({
  data: [
    { x: 0.2, y: 0.1 },
    { x: 1.5, y: 0.9 },
  ],
  panels: [
    { title: "as placed", curve, before: [0.5, 1] },
    { title: "learned", curve, before: [0.5, 1], after: [0.4, 1.4, 1.9], reference: curve },
  ],
  ...axes,
});
const drawn: ChartSpec = { data: { values: chart.data as readonly Row[] }, ...chart.spec };

describe("regressionChart", () => {
  it("draws data, mean, band, reference and crosses, a panel each, without a warning", async () => {
    expect((await inspect(drawn)).warnings).toEqual([]);
    const svg = await renderSvg(drawn);
    const marks = (kind: string): number => svg.match(new RegExp(`aria-roledescription="${kind}"`, "g"))?.length ?? 0;
    expect(marks("area mark")).toBe(2); // a band a panel
    expect(marks("line mark")).toBe(2 + 3); // a mean a panel; the reference's mean and both edges
    expect(marks("point")).toBe(2 * 2 + 2 + 2 + 3);
    expect(svg.indexOf(">as placed<")).toBeGreaterThan(0);
    expect(svg.indexOf(">as placed<")).toBeLessThan(svg.indexOf(">learned<"));
  });

  it("has bands of the given half-width, and crosses at the edges", () => {
    const rows = chart.data as readonly Row[];
    expect(rows.find(({ what, x }) => what === "mean" && x === 2)).toMatchObject({ y: 1, below: 0.7, above: 1.3 });
    const edge = (what: string): unknown[] => [...new Set(rows.filter((row) => row.what === what).map(({ y }) => y))];
    expect(edge("before")).toEqual([2 - 0.09]);
    expect(edge("after")).toEqual([-1 + 0.09]);
  });

  it("refuses what it cannot draw", () => {
    expect(() => regressionChart({ data: [], panels: [], ...axes })).toThrow("at least one panel");
    const panels = [
      { title: "a", curve },
      { title: "a", curve },
    ];
    expect(() => regressionChart({ data: [], panels, ...axes })).toThrow("two panels have one title");
  });
});
