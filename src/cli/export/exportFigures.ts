import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { writeAtomically } from "../../notebook/files.js";
import { rasterise, renderSvg } from "../../notebook/render.js";
import type { ChartSpec } from "../../notebook/spec.js";
import { throwIfInterrupted } from "../children.js";
import { Failure, messageOf } from "../failure.js";
import { checkWritable } from "../reproduce/output.js";
import { renderPdfs } from "../reproduce/pdf.js";
import type { Figure } from "./figures.js";

/** What a figure can be written as. */
export const formats = ["svg", "pdf", "png", "csv"] as const;

/** A format of {@link formats}. */
export type ExportFormat = (typeof formats)[number];

/** How to write figures. */
export interface ExportOptions {
  readonly formats: readonly ExportFormat[];
  /** Width of the whole figure in CSS pixels; as drawn by the notebook if left out. */
  readonly width?: number;
  /** Pixels per inch of a PNG. */
  readonly dpi: number;
  /** Files go to `<out>/<paper>/<notebook>/<name>.<format>`. */
  readonly out: string;
}

function readSpec(figure: Figure): ChartSpec {
  const path = `${figure.base}.vl.json`;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as ChartSpec;
  } catch (error) {
    throw new Failure(`${path} is damaged (${messageOf(error)}): run "marginalia reproduce" again.`, { cause: error });
  }
}

/**
 * Draws figures anew from their `.vl.json` and writes them; all formats of a figure come from one SVG, so they look the same.
 *
 * Returns the paths written, in order.
 *
 * @throws Failure if the folder cannot be written, a figure's file is damaged, or it cannot be drawn at this width.
 */
export async function exportFigures(figures: readonly Figure[], options: ExportOptions): Promise<string[]> {
  checkWritable(options.out, { option: "--out" });
  const written: string[] = [];
  const temporary = mkdtempSync(join(tmpdir(), "marginalia-export-"));
  try {
    const pdfs: { readonly svg: string; readonly pdf: string }[] = [];
    for (const figure of figures) {
      throwIfInterrupted();
      const target = (format: ExportFormat): string => join(options.out, `${figure.id}.${format}`);
      const svg = options.formats.some((format) => format !== "csv") ? await draw(figure, options.width) : "";
      for (const format of options.formats) {
        if (format === "svg") await writeAtomically(target(format), svg);
        if (format === "png") await writeAtomically(target(format), await rasterise(svg, options.dpi));
        if (format === "csv") await writeAtomically(target(format), readCsv(figure));
        if (format === "pdf") {
          const source = join(temporary, `${pdfs.length}.svg`);
          writeFileSync(source, svg);
          mkdirSync(dirname(target(format)), { recursive: true });
          pdfs.push({ svg: source, pdf: target(format) });
        }
        written.push(target(format));
      }
    }
    await renderPdfs(pdfs);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return written;
}

async function draw(figure: Figure, width: number | undefined): Promise<string> {
  const spec = readSpec(figure);
  try {
    return await renderSvg(spec, width === undefined ? {} : { width });
  } catch (error) {
    throw new Failure(`${figure.id} cannot be drawn: ${messageOf(error)}`, { cause: error });
  }
}

function readCsv(figure: Figure): Uint8Array {
  const path = `${figure.base}.csv`;
  if (!existsSync(path))
    throw new Failure(`${figure.id} has no CSV beside its ${figure.base}.vl.json: run "marginalia reproduce" again.`);
  return readFileSync(path);
}
