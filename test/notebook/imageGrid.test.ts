import { Resvg } from "@resvg/resvg-js";
import { describe, expect, it } from "vitest";
import { imageGrid } from "../../src/notebook/imageGrid.js";
import { inspect, renderSvg } from "../../src/notebook/render.js";
import type { ChartSpec, Row } from "../../src/notebook/spec.js";

const image = (ink: number): number[] => Array.from({ length: 28 * 28 }, () => ink);
const block = (title: string, columns: number, ink: number) => ({
  title,
  images: [1, 2].map(() => Array.from({ length: columns }, () => image(ink))),
});

describe("imageGrid", () => {
  it("draws ink dark on white, blocks side by side under their headings", async () => {
    const { spec, data, numbers } = imageGrid({
      blocks: [block("data", 1, 1), block("q", 3, 0.5)],
      height: 28,
      width: 28,
      rowLabels: ["7", "2"],
    });
    const chart: ChartSpec = { datasets: data as { [name: string]: readonly Row[] }, ...spec };
    expect((await inspect(chart)).warnings).toEqual([]);
    const svg = await renderSvg(chart);
    for (const text of ["data", "q", "7", "2"]) expect(svg).toContain(`>${text}</text>`);
    const { pixels } = new Resvg(svg, { background: "white" }).render();
    const count = (grey: number): number => {
      let n = 0;
      for (let i = 0; i < pixels.length; i += 4) if (Math.abs(pixels[i]! - grey) <= 1) n++;
      return n;
    };
    expect(count(0)).toBeGreaterThan(2000);
    expect(count(128) / count(0)).toBeCloseTo(3, 0);
    expect(numbers).toHaveLength(8);
    expect(numbers![0]).toMatchObject({ block: "data", row: "7", column: 0, p0: 1, p783: 1 });
  });

  it("refuses images of another size, uneven blocks and labels that do not fit", () => {
    const size = { height: 28, width: 28 };
    expect(() => imageGrid({ blocks: [], ...size })).toThrow("at least one image");
    expect(() => imageGrid({ blocks: [{ title: "a", images: [[[1, 2]]] }], ...size })).toThrow(
      '"a" has 2 pixels, not 28 × 28 = 784',
    );
    expect(() => imageGrid({ blocks: [block("a", 1, 1), { title: "b", images: [[image(1)]] }], ...size })).toThrow(
      '"b" has 1 rows of images, the first block 2',
    );
    expect(() => imageGrid({ blocks: [block("a", 1, 1)], ...size, rowLabels: ["x"] })).toThrow(
      "1 row labels for 2 rows",
    );
    expect(() => imageGrid({ blocks: [block("a", 1, Number.NaN)], ...size })).toThrow("pixel that is NaN");
  });
});
