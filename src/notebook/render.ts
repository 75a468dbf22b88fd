/** From a chart to SVG and PNG, without a browser: by vega, and by resvg with the shipped font. */
import type * as vegaModule from "vega";
import type * as vegaLiteModule from "vega-lite";
import { fontFamily, fontFiles, shippedFont } from "./fonts.js";
import type { ChartSpec, Json, JsonObject } from "./spec.js";
import { pixelsPerInch, theme } from "./theme.js";

interface Renderers {
  readonly vega: typeof vegaModule;
  readonly vegaLite: typeof vegaLiteModule;
}
let loading: Promise<Renderers> | undefined;

/** vega and vega-lite, loaded when the first figure is drawn; they have a top-level await, so that only `import()` can load them. */
function renderers(): Promise<Renderers> {
  loading ??= Promise.all([import("vega"), import("vega-lite")]).then(([vega, vegaLite]) => {
    // @types of vega leave out the metrics, which vega-scenegraph documents as replaceable.
    const { textMetrics } = vega as unknown as { textMetrics: { width: (item: TextItem, text: unknown) => number } };
    textMetrics.width = measureText;
    return { vega, vegaLite };
  });
  return loading;
}

interface TextItem {
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
}

function measureText(item: TextItem, text: unknown): number {
  const bold = item.fontWeight === "bold" || item.fontWeight === "bolder" || Number(item.fontWeight) >= 600;
  const line = text === null || text === undefined ? "" : String(text).trim();
  return shippedFont(bold).width(line) * (item.fontSize ?? 11);
}

/** Options of {@link renderSvg}. */
export interface SvgOptions {
  /** Width of the whole figure in px (96 to the inch); plotting areas are scaled so that it comes out. Default: as the chart says. */
  readonly width?: number;
}

/** Options of {@link renderPng}. */
export interface PngOptions extends SvgOptions {
  /** Pixels per inch of the image (default 300). */
  readonly dpi?: number;
}

/** A chart with the project's theme below its own `config`. */
export function withTheme(spec: ChartSpec): ChartSpec {
  return { ...spec, config: mergeConfig(theme, spec.config ?? {}) };
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mergeConfig(base: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, Json | undefined> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name];
    merged[name] = isObject(below) && isObject(value) ? mergeConfig(below, value) : value;
  }
  return merged;
}

const parts = ["layer", "concat", "hconcat", "vconcat"] as const;

/** Scales the plotting areas of a chart; those without a size get the theme's first. */
function scaleSizes(spec: ChartSpec, factor: number, inLayer = false): ChartSpec {
  const scaled: { -readonly [K in keyof ChartSpec]: ChartSpec[K] } = { ...spec };
  const composed = spec.facet !== undefined || spec.repeat !== undefined || spec.concat || spec.hconcat || spec.vconcat;
  if (!composed && !inLayer) {
    const view = theme.view as { continuousWidth: number; continuousHeight: number };
    const row = spec.encoding?.row ?? spec.encoding?.column ?? spec.encoding?.facet;
    const width = spec.width ?? view.continuousWidth / (row ? 2 : 1);
    const height = spec.height ?? view.continuousHeight / (row ? 2 : 1);
    const scale = <S extends number | { readonly step: number }>(size: S): S =>
      (typeof size === "number" ? size * factor : { step: size.step * factor }) as S;
    scaled.width = scale(width);
    scaled.height = scale(height);
  }
  for (const part of parts) {
    const children = spec[part];
    if (children) scaled[part] = children.map((child) => scaleSizes(child, factor, part === "layer"));
  }
  if (spec.spec) scaled.spec = scaleSizes(spec.spec, factor);
  return scaled;
}

/** A chart compiled and drawn. */
interface Drawing {
  readonly svg: string;
  readonly width: number;
  readonly warnings: readonly string[];
}

async function draw(spec: ChartSpec): Promise<Drawing> {
  const { vega, vegaLite } = await renderers();
  const warnings: string[] = [];
  const logger = {
    level: () => logger,
    error: (...args: readonly unknown[]) => {
      warnings.push(args.map(String).join(" "));
      return logger;
    },
    warn: (...args: readonly unknown[]) => {
      warnings.push(args.map(String).join(" "));
      return logger;
    },
    info: () => logger,
    debug: () => logger,
  };
  // vega marks the rows that it is given; they are the caller's.
  const compiled = vegaLite.compile(structuredClone(spec) as unknown as vegaLiteModule.TopLevelSpec, {
    logger: logger as unknown as NonNullable<Parameters<typeof vegaLite.compile>[1]>["logger"] & object,
  });
  const view = new vega.View(vega.parse(compiled.spec), {
    renderer: "none",
    logger: logger as unknown as vegaModule.LoggerInterface,
  });
  try {
    const svg = await view.toSVG();
    return { svg, width: Number(/\bwidth="([\d.]+)"/.exec(svg)?.[1]), warnings };
  } finally {
    view.finalize();
  }
}

/**
 * A chart whose plotting areas are scaled so that the whole, axes and legends included, is `width` px wide; proportions are kept.
 *
 * @throws Error if labels and legends alone are wider than that.
 */
export async function fitWidth(spec: ChartSpec, width: number): Promise<ChartSpec> {
  // Labels and gaps do not scale, so the width is nearly linear in the factor. The slope is taken over a wide step once: layouts
  // round to whole pixels, which would spoil it over a narrow one.
  const drawnAt = async (factor: number): Promise<number> => (await draw(withTheme(scaleSizes(spec, factor)))).width;
  const [half, whole] = [await drawnAt(0.5), await drawnAt(1)];
  const slope = (whole - half) / 0.5;
  let factor = 1;
  for (let round = 0, drawn = whole; round < 6 && Math.abs(drawn - width) > 0.5; round++) {
    factor += (width - drawn) / slope;
    if (!(factor > 0.05 && Number.isFinite(factor))) {
      throw new Error(
        `The figure's labels and legends leave no room for its plots in ${width} px: shorten them or use the page's width.`,
      );
    }
    drawn = await drawnAt(factor);
  }
  return scaleSizes(spec, factor);
}

/** A chart as SVG, what vega and vega-lite say of it, and the characters of its text that the shipped font lacks. */
export async function inspect(
  spec: ChartSpec,
): Promise<{ svg: string; warnings: readonly string[]; missing: readonly string[] }> {
  const { svg, warnings } = await draw(withTheme(spec));
  const text = [...svg.matchAll(/<(?:text|tspan)[^>]*>([^<]*)</g)].map(([, content]) => content!).join("");
  return { svg, warnings, missing: shippedFont().missing(text) };
}

/**
 * Draws a chart in the project's theme as SVG; text stays text, in the shipped font with fallbacks.
 *
 * @throws Error if vega-lite cannot compile the chart.
 */
export async function renderSvg(spec: ChartSpec, options: SvgOptions = {}): Promise<string> {
  const fitted = options.width === undefined ? spec : await fitWidth(spec, options.width);
  return (await draw(withTheme(fitted))).svg;
}

/**
 * Draws a chart in the project's theme as PNG.
 *
 * @throws Error if vega-lite cannot compile the chart.
 */
export async function renderPng(spec: ChartSpec, options: PngOptions = {}): Promise<Uint8Array> {
  return rasterise(await renderSvg(spec, options), options.dpi ?? 300);
}

/** Rasterises an SVG of 96 px to the inch, with the shipped font and no other. */
export async function rasterise(svg: string, dpi: number): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js");
  const image = new Resvg(svg, {
    font: {
      loadSystemFonts: false,
      fontFiles: fontFiles(),
      defaultFontFamily: fontFamily,
      sansSerifFamily: fontFamily,
    },
    fitTo: { mode: "zoom", value: dpi / pixelsPerInch },
    background: "white",
  });
  return image.render().asPng();
}
