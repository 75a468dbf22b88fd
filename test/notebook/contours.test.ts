import { describe, expect, it } from "vitest";
import { type ContourLine, contourLines, massLevels } from "../../src/notebook/contourLines.js";
import { type ContourRow, contours } from "../../src/notebook/contours.js";
import type { GridAxis } from "../../src/notebook/heatmaps.js";
import { inspect, renderSvg } from "../../src/notebook/render.js";
import type { Row } from "../../src/notebook/spec.js";

const axis = (from: number, to: number, points: number): GridAxis => ({ title: "x", from, to, points });

function grid(x: GridAxis, y: GridAxis, f: (x: number, y: number) => number) {
  const at = (a: GridAxis, i: number): number => a.from + ((a.to - a.from) * i) / (a.points - 1);
  const values = Array.from({ length: x.points * y.points }, (_, n) =>
    f(at(x, n % x.points), at(y, Math.floor(n / x.points))),
  );
  return { x, y, values };
}

const isClosed = (line: ContourLine): boolean =>
  line[0]!.x === line[line.length - 1]!.x && line[0]!.y === line[line.length - 1]!.y;

/** The area that a closed line encloses. */
const area = (line: ContourLine): number =>
  Math.abs(line.slice(1).reduce((sum, { x, y }, i) => sum + (line[i]!.x * y - line[i]!.y * x) / 2, 0));

describe("contourLines", () => {
  it("finds a circle: closed, in one piece, and where it is", () => {
    const lines = contourLines(
      grid(axis(-2, 2, 81), axis(-3, 3, 121), (x, y) => x * x + y * y),
      2.25,
    );
    expect(lines).toHaveLength(1);
    expect(isClosed(lines[0]!)).toBe(true);
    for (const { x, y } of lines[0]!) expect(Math.abs(Math.hypot(x, y) - 1.5)).toBeLessThan(1e-3);
    expect(area(lines[0]!)).toBeCloseTo(Math.PI * 2.25, 1);
  });

  it("finds every piece, and leaves open what leaves the grid", () => {
    const two = grid(axis(-4, 4, 81), axis(-2, 2, 41), (x, y) => Math.exp(-((Math.abs(x) - 2) ** 2) - y * y));
    expect(contourLines(two, 0.5).map(isClosed)).toEqual([true, true]);
    const slope = contourLines(
      grid(axis(0, 3, 4), axis(0, 2, 3), (x, y) => x + 2 * y),
      2.5,
    );
    expect(slope).toHaveLength(1);
    expect(isClosed(slope[0]!)).toBe(false);
    for (const { x, y } of slope[0]!) expect(x + 2 * y).toBeCloseTo(2.5, 12); // linear between grid points
    const ends = [slope[0]![0]!, slope[0]![slope[0]!.length - 1]!];
    expect(ends.map(({ y }) => y).sort()).toEqual([0, 1.25]);
  });

  it("joins what the middle of a saddle joins", () => {
    const saddle = (values: number[]): ContourLine[] => contourLines({ x: axis(0, 1, 2), y: axis(0, 1, 2), values }, 0);
    const crosses = (line: ContourLine): boolean => line.some(({ x }) => x === 0) && line.some(({ y }) => y === 0);
    // Values at (0, 0), (1, 0), (0, 1), (1, 1). High corners at (0, 0) and (1, 1), the middle high: the line cuts off the other two.
    expect(saddle([3, -1, -1, 3]).map(crosses)).toEqual([false, false]);
    expect(saddle([1, -3, -3, 1]).map(crosses).sort()).toEqual([false, true]);
    expect(saddle([-3, 1, 1, -3]).map(crosses)).toEqual([false, false]);
    expect(saddle([-1, 3, 3, -1]).map(crosses).sort()).toEqual([false, true]);
  });

  it("finds nothing above or below all values", () => {
    const flat = grid(axis(0, 1, 3), axis(0, 1, 3), () => 1);
    expect(contourLines(flat, 2)).toEqual([]);
    expect(contourLines(flat, 1)).toEqual([]);
  });

  it("refuses values that do not fit", () => {
    expect(() => contourLines({ x: axis(0, 1, 2), y: axis(0, 1, 3), values: [1] }, 0)).toThrow("2 × 3 grid points");
    expect(() => contourLines({ x: axis(0, 1, 2), y: axis(0, 1, 2), values: [1, 2, Number.NaN, 1] }, 0)).toThrow(
      "NaN at grid point 2",
    );
  });
});

describe("massLevels", () => {
  it("is (1 − share) times the peak of a Gaussian on the plane", () => {
    const { values } = grid(axis(-6, 6, 241), axis(-12, 12, 481), (x, y) => Math.exp(-(x * x + (y * y) / 4) / 2));
    massLevels(values, [0.25, 0.5, 0.95]).forEach((level, i) => {
      expect(level).toBeCloseTo([0.75, 0.5, 0.05][i]!, 2);
    });
  });

  it("refuses what is no density, and shares out of range", () => {
    expect(() => massLevels([0, 0], [0.5])).toThrow("nowhere negative and somewhere positive");
    expect(() => massLevels([1, -1], [0.5])).toThrow("nowhere negative");
    expect(() => massLevels([1, 2], [1])).toThrow("between 0 and 1, not 1");
  });
});

describe("contours", () => {
  const row: ContourRow = {
    title: "normal",
    ...grid({ ...axis(-4, 4, 41), title: "z₁" }, { ...axis(-2, 2, 21), title: "z₂" }, (x, y) =>
      Math.exp(-(x * x + 4 * y * y) / 2),
    ),
    panels: [
      {
        title: "a",
        points: [
          { x: 0.12345, y: 1 },
          { x: -1, y: 0 },
        ],
      },
      { title: "b", points: [{ x: 2, y: 0.5 }] },
    ],
  };

  it("draws a panel for each set of samples, without a warning, with equal units", async () => {
    const chart = contours({ rows: [row, { ...row, title: "again" }] });
    const panels = chart.spec.vconcat!.map(({ hconcat }) => hconcat!);
    expect(panels.map(({ length }) => length)).toEqual([2, 2]);
    const [first] = panels[0]!;
    expect((first!.height as number) / (first!.width as number)).toBe(0.5);
    const { warnings, missing } = await inspect({
      ...chart.spec,
      datasets: chart.data as Record<string, readonly Row[]>,
    });
    expect([warnings, missing]).toEqual([[], []]);
  });

  it("puts one row under the other", async () => {
    const chart = contours({ rows: [row, row, row] });
    const [{ height }] = chart.spec.vconcat![0]!.hconcat!;
    const svg = await renderSvg({ ...chart.spec, datasets: chart.data as Record<string, readonly Row[]> });
    expect(Number(/height="([\d.]+)"/.exec(svg)![1])).toBeGreaterThan(3 * (height as number) + 40);
  });

  it("writes the samples as numbers, by density and panel", () => {
    expect(contours({ rows: [row] }).numbers).toEqual([
      { density: "normal", panel: "a", x: 0.1235, y: 1 },
      { density: "normal", panel: "a", x: -1, y: 0 },
      { density: "normal", panel: "b", x: 2, y: 0.5 },
    ]);
  });

  it("draws as many ellipses as shares are asked", () => {
    const data = contours({ rows: [row], shares: [0.5, 0.9] }).data as Record<string, readonly Row[]>;
    expect([...new Set(data.contours1!.map(({ line }) => line))]).toEqual(["0.0", "1.0"]);
  });

  it("takes levels in place of shares", () => {
    const data = contours({ rows: [{ ...row, levels: [0.5] }] }).data as Record<string, readonly Row[]>;
    const top = Math.max(...data.contours1!.map(({ x }) => x as number));
    expect(top).toBeCloseTo(Math.sqrt(2 * Math.LN2), 2);
    expect(new Set(data.contours1!.map(({ level }) => level))).toEqual(new Set([0.5]));
  });

  it("refuses nothing to draw", () => {
    expect(() => contours({ rows: [] })).toThrow("at least one density");
    expect(() => contours({ rows: [{ ...row, panels: [] }] })).toThrow('"normal" has no panel');
  });
});
