import { Resvg } from "@resvg/resvg-js";
import { describe, expect, it } from "vitest";
import { heatmaps } from "../../src/notebook/heatmaps.js";
import { inspect, renderSvg } from "../../src/notebook/render.js";
import type { Row } from "../../src/notebook/spec.js";

const points = 101;
const axis = { from: -6, to: 6, points };
const gaussian = (mx: number, my: number): Float64Array =>
  Float64Array.from({ length: points ** 2 }, (_, at) => {
    const [x, y] = [-6 + 0.12 * (at % points), -6 + 0.12 * Math.floor(at / points)];
    return Math.exp(-((x - mx) ** 2 + (y - my) ** 2) / 2);
  });
const options = { x: { title: "z₁", ...axis }, y: { title: "z₂", ...axis } };

/** A picture of an SVG; its pixels are read once, since reading them copies them. */
function rendered(svg: string, background: string): { width: number; height: number; pixels: Uint8Array } {
  const image = new Resvg(svg, { background }).render();
  return { width: image.width, height: image.height, pixels: image.pixels };
}

describe("heatmaps", () => {
  it("puts the grid's first point at the lower left and its values where the axes say", async () => {
    const { spec, data } = heatmaps({ ...options, panels: [{ title: "p", values: gaussian(3, -4) }] });
    const values = data as Row[];
    const svg = await renderSvg({ data: { values }, ...spec });
    const image = rendered(svg, "white");
    // The plotting area is the largest dark rectangle: find the brightest (yellow) pixel within it.
    let [brightest, bx, by, left, right, top, bottom] = [0, 0, 0, image.width, 0, image.height, 0];
    for (let y = 40; y < image.height; y++) {
      for (let x = 0; x < image.width; x++) {
        const [r, g, b] = image.pixels.subarray(4 * (y * image.width + x)) as unknown as [number, number, number];
        if (r === 68 && g === 1 && b === 84)
          [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
        if (b < 60 && g > brightest) [brightest, bx, by] = [g, x, y];
      }
    }
    expect(brightest).toBeGreaterThan(200);
    expect(-6 + (12 * (bx - left)) / (right - left)).toBeCloseTo(3, 0);
    expect(6 - (12 * (by - top)) / (bottom - top)).toBeCloseTo(-4, 0);
  });

  it("keeps four panels of 101 × 101 below 60 kB, without a warning, with equal scales", async () => {
    const panels = [1, 10, 100, 1000].map((k) => ({ title: `k = ${k}`, values: gaussian(Math.log(k), 0) }));
    for (const colours of ["shared", "each"] as const) {
      const { spec, data, numbers } = heatmaps({
        ...options,
        panels,
        colours,
        legend: "density",
        marks: [{ x: 1, y: 1 }],
      });
      const chart = { data: { values: data as Row[] }, ...spec };
      expect(JSON.stringify(chart).length).toBeLessThan(60_000);
      expect(spec.spec!.width).toBe(spec.spec!.height);
      expect((await inspect(chart)).warnings).toEqual([]);
      expect(numbers).toHaveLength(4 * points ** 2);
      expect(numbers![points + 2]).toEqual({
        panel: "k = 1",
        x: -5.76,
        y: -5.88,
        value: Number(panels[0]!.values[points + 2]!.toPrecision(6)),
      });
    }
  });

  it("draws a curve over the panel that it names, and over all if it names none, where the axes say", async () => {
    const circle = Array.from({ length: 41 }, (_, i) => ({
      x: 3 + Math.cos((Math.PI * i) / 20),
      y: -4 + Math.sin((Math.PI * i) / 20),
    }));
    const panels = ["a", "b"].map((title) => ({ title, values: gaussian(9, 9) }));
    const white = async (panel?: string): Promise<{ count: number; x: number; y: number }> => {
      const { spec, data } = heatmaps({ ...options, panels, curves: [{ points: circle, ...(panel && { panel }) }] });
      const chart = { data: { values: data as Row[] }, ...spec };
      expect((await inspect(chart)).warnings).toEqual([]);
      const { width, height, pixels } = rendered(await renderSvg(chart), "black");
      const darkest = (i: number) => Math.min(pixels[4 * i]!, pixels[4 * i + 1]!, pixels[4 * i + 2]!);
      const isGround = (i: number) => pixels[4 * i] === 68 && pixels[4 * i + 1] === 1 && pixels[4 * i + 2] === 84;
      // Both panels are of one colour and of one height; the first is the leftmost square of it.
      const panel1 = { left: width, top: height, bottom: 0 };
      for (let i = 0; i < width * height; i++) {
        if (!isGround(i)) continue;
        panel1.left = Math.min(panel1.left, i % width);
        panel1.top = Math.min(panel1.top, Math.floor(i / width));
        panel1.bottom = Math.max(panel1.bottom, Math.floor(i / width));
      }
      const side = panel1.bottom - panel1.top;
      const found = { count: 0, x: 0, y: 0 };
      for (let y = 1; y < side; y++) {
        for (let x = 1; x < side; x++) {
          if (darkest((panel1.top + y) * width + panel1.left + x) < 150) continue;
          found.count++;
          found.x += -6 + (12 * x) / side;
          found.y += 6 - (12 * y) / side;
        }
      }
      return { count: found.count, x: found.x / found.count, y: found.y / found.count };
    };
    const first = await white("a");
    expect(first.count).toBeGreaterThan(20);
    expect(first.x).toBeCloseTo(3, 0);
    expect(first.y).toBeCloseTo(-4, 0);
    expect((await white()).count).toBe(first.count);
    expect((await white("b")).count).toBe(0);
  });

  it("refuses values that do not fit the grid, and what has no colour", () => {
    expect(() => heatmaps({ ...options, panels: [] })).toThrow("at least one panel");
    expect(() => heatmaps({ ...options, panels: [{ title: "p", values: [1, 2] }] })).toThrow(
      '"p" has 2 values, the grid 101 × 101 = 10201',
    );
    const values = gaussian(0, 0);
    values[7] = Number.NaN;
    expect(() => heatmaps({ ...options, panels: [{ title: "p", values }] })).toThrow('"p" is NaN at grid point 7');
  });
});
