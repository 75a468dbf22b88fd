import { existsSync } from "node:fs";
import { Resvg } from "@resvg/resvg-js";
import { describe, expect, it } from "vitest";
import { fontFamily, fontFiles, readFontMetrics, shippedFont } from "../../src/notebook/fonts.js";

function drawnWidth(text: string, weight: number): number {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="4000" height="200"><text x="10" y="100" font-size="100" font-weight="${weight}" font-family="${fontFamily}">${text}</text></svg>`;
  return (
    new Resvg(svg, {
      font: { loadSystemFonts: false, fontFiles: fontFiles(), defaultFontFamily: fontFamily },
    }).innerBBox()?.width ?? 0
  );
}

describe("the shipped font", () => {
  it("is there", () => {
    expect(fontFiles().every((path) => existsSync(path))).toBe(true);
  });

  it.each([400, 600])("has the widths that resvg draws (weight %i)", (weight) => {
    // Ink is narrower than its advances by the side bearings of the ends, and kerning moves letters by little.
    for (const text of ["bound on log p(x), nats", "mmmmmmmm", "iiiiiiii", "−2.0794"]) {
      const advance = 100 * shippedFont(weight === 600).width(text);
      expect(Math.abs(advance - drawnWidth(text, weight))).toBeLessThan(18);
    }
  });

  it("knows which characters it lacks", () => {
    expect(shippedFont().missing("log p(x) ≤ ∑ₖ α₁² − π ± ∞")).toEqual(["ₖ"]);
    expect(shippedFont().missing("数")).toEqual(["数"]);
  });

  it("refuses what is not a TrueType file", () => {
    expect(() => readFontMetrics(new Uint8Array(64))).toThrow("damaged or not TrueType");
  });
});
