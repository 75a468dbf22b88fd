/**
 * The font that figures are set in, shipped with the project: resvg drops all text without a word where it finds none, and
 * Vega, which has no canvas in Node, would place axes and legends by guessed widths.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** Family name of the shipped font. */
export const fontFamily = "Source Sans 3";

/** The family with fallbacks for viewers that lack it; quoted, since an unquoted name with a bare 3 is no CSS and would be dropped. */
export const fontStack: string = `'${fontFamily}', 'Source Sans Pro', Helvetica, Arial, sans-serif`;

/** Path of the shipped font file of one weight. */
function fontFile(weight: "400Regular" | "600SemiBold"): string {
  const name = `@expo-google-fonts/source-sans-3/${weight}/SourceSans3_${weight}.ttf`;
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch (cause) {
    throw new Error("The font package @expo-google-fonts/source-sans-3 is not installed: run npm ci.", { cause });
  }
}

/** Paths of the shipped TrueType files (regular and semi-bold), for whatever rasterises or embeds figures. */
export function fontFiles(): string[] {
  return [fontFile("400Regular"), fontFile("600SemiBold")];
}

/** Advance widths of one font file. */
export interface FontMetrics {
  /** Width of a text in em, without kerning. */
  width(text: string): number;
  /** The characters of a text that the font has no glyph for. */
  missing(text: string): string[];
}

/** Reads glyph indices (`cmap`, formats 4 and 12) and advance widths (`hmtx`) of a TrueType file (OpenType specification 1.9). */
export function readFontMetrics(file: Uint8Array): FontMetrics {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const tables = new Map<string, number>();
  for (let i = 0, entry = 12; i < view.getUint16(4); i++, entry += 16) {
    tables.set(String.fromCharCode(...file.subarray(entry, entry + 4)), view.getUint32(entry + 8));
  }
  const at = (name: string): number => {
    const offset = tables.get(name);
    if (offset === undefined) throw new Error(`The font file has no table "${name}": it is damaged or not TrueType.`);
    return offset;
  };
  const unitsPerEm = view.getUint16(at("head") + 18);
  const advances = view.getUint16(at("hhea") + 34);
  const glyphs = readCharacterMap(view, at("cmap"));
  const advance = (glyph: number): number =>
    view.getUint16(at("hmtx") + 4 * Math.min(glyph, advances - 1)) / unitsPerEm;
  const fallback = advance(glyphs.get(0x6e) ?? 0);
  return {
    width: (text) =>
      [...text].reduce((sum, character) => {
        const glyph = glyphs.get(character.codePointAt(0)!);
        return sum + (glyph === undefined ? fallback : advance(glyph));
      }, 0),
    missing: (text) =>
      [...new Set(text)].filter((character) => !/\s/.test(character) && !glyphs.has(character.codePointAt(0)!)),
  };
}

function readCharacterMap(view: DataView, cmap: number): Map<number, number> {
  const glyphs = new Map<number, number>();
  for (let i = 0; i < view.getUint16(cmap + 2); i++) {
    const start = cmap + view.getUint32(cmap + 4 + 8 * i + 4);
    const format = view.getUint16(start);
    if (format === 12) {
      for (let group = start + 16, n = view.getUint32(start + 12); n > 0; n--, group += 12) {
        const [first, last, glyph] = [view.getUint32(group), view.getUint32(group + 4), view.getUint32(group + 8)];
        for (let code = first; code <= last; code++) glyphs.set(code, glyph + code - first);
      }
    } else if (format === 4) {
      const segments = view.getUint16(start + 6) / 2;
      const [ends, starts] = [start + 14, start + 16 + 2 * segments];
      const [deltas, offsets] = [starts + 2 * segments, starts + 4 * segments];
      for (let s = 0; s < segments; s++) {
        const first = view.getUint16(starts + 2 * s);
        const offset = view.getUint16(offsets + 2 * s);
        for (let code = first; code <= view.getUint16(ends + 2 * s) && code < 0xffff; code++) {
          const raw = offset === 0 ? code : view.getUint16(offsets + 2 * s + offset + 2 * (code - first));
          const glyph = raw === 0 && offset !== 0 ? 0 : (raw + view.getUint16(deltas + 2 * s)) & 0xffff;
          if (glyph !== 0) glyphs.set(code, glyph);
        }
      }
    }
  }
  return glyphs;
}

let regular: FontMetrics | undefined;
let semiBold: FontMetrics | undefined;

/** Metrics of the shipped font, read once. */
export function shippedFont(bold = false): FontMetrics {
  regular ??= readFontMetrics(readFileSync(fontFile("400Regular")));
  semiBold ??= readFontMetrics(readFileSync(fontFile("600SemiBold")));
  return bold ? semiBold : regular;
}
