import { describe, expect, it } from "vitest";
import { dashes, figureWidths, palette, pixelsPerInch, shapes, theme } from "../../src/notebook/theme.js";

/** Relative luminance (WCAG 2). */
function luminance(hex: string): number {
  const linear = [1, 3, 5].map((at) => {
    const s = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
}

describe("the theme", () => {
  it("is what figures have been drawn in", () => {
    expect(theme).toMatchSnapshot();
  });

  it("sets type in 8 and 9 pt at the widths of a two-column page", () => {
    const axis = theme.axis as { labelFontSize: number; titleFontSize: number };
    expect((axis.labelFontSize * 72) / pixelsPerInch).toBeCloseTo(8, 1);
    expect((axis.titleFontSize * 72) / pixelsPerInch).toBeCloseTo(9, 1);
    expect(figureWidths).toEqual({ column: 3.25, page: 6.75 });
  });

  it("has a dash and a shape of its own for every colour, and no colour that fades on white", () => {
    expect(new Set(dashes.map(String)).size).toBe(palette.length);
    expect(new Set(shapes).size).toBe(palette.length);
    for (const colour of palette) expect(1.05 / (luminance(colour) + 0.05) > 2.1).toBe(true);
  });
});
