import { basename, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { type ExportFormat, exportFigures, formats } from "./export/exportFigures.js";
import { findFigures, selectFigures } from "./export/figures.js";
import { parseLength } from "./export/length.js";
import { UsageFailure } from "./failure.js";
import { outputDirectory } from "./paths.js";
import { setUp } from "./setup/setup.js";

interface Flags {
  readonly format: readonly ExportFormat[];
  readonly width?: number;
  readonly dpi: number;
  readonly out: string;
  readonly from?: string;
  readonly setup: boolean;
}

function parseFormats(text: string): ExportFormat[] {
  const names = [...new Set(text.split(",").map((name) => name.trim()))].filter(Boolean);
  return names.map((name) => {
    const known = formats.find((format) => format === name);
    if (!known) throw new InvalidArgumentError(`"${name}" is no format: use ${formats.join(", ")}, joined by commas.`);
    return known;
  });
}

function parseWidth(text: string): number {
  try {
    return parseLength(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function parseDpi(text: string): number {
  const dpi = Number(text);
  if (!(dpi >= 36 && dpi <= 2400)) throw new InvalidArgumentError("Give pixels per inch from 36 to 2400.");
  return dpi;
}

/** `marginalia export`: writes figures in the formats and at the width that a publication asks for. */
export function exportCommand(): Command {
  return new Command("export")
    .description("write figures as SVG, PDF, PNG or CSV at the width of a column")
    .argument("<figure...>", "figures by name (iwae/01-…/name), by an unambiguous part of it, or all")
    .option("-f, --format <formats>", `${formats.join(", ")}, joined by commas`, parseFormats, [
      "svg",
      "pdf",
      "png",
    ] as ExportFormat[])
    .option(
      "-w, --width <length>",
      "width of the whole figure, such as 3.25in, 82mm, 8.2cm, 234pt or 312px (default: as drawn)",
      parseWidth,
    )
    .option("--dpi <n>", "pixels per inch of a PNG", parseDpi, 300)
    .option("-o, --out <folder>", "folder to write to", "exports")
    .option("--from <folder>", "folder of figures (default: MARGINALIA_OUTPUT, else figures/)")
    .option("--no-setup", "do not check that everything is set up")
    .addHelpText(
      "after",
      `
Examples:
  $ marginalia export all --width 3.25in
  $ marginalia export iwae/01 --format pdf --out paper/figures
  $ marginalia export posterior --format png --dpi 600`,
    )
    .action(async (words: string[], flags: Flags) => {
      const from = flags.from === undefined ? outputDirectory() : resolve(flags.from);
      const figures = selectFigures(findFigures(from), words, from);
      const out = resolve(flags.out);
      if (flags.format.length === 0) throw new UsageFailure(`--format names no format: use ${formats.join(", ")}.`);
      if (flags.setup && flags.format.includes("pdf")) await setUp();
      const written = await exportFigures(figures, { ...flags, formats: flags.format, out });
      for (const file of written) process.stdout.write(`${file}\n`);
      process.stdout.write(
        `${written.length} ${written.length === 1 ? "file" : "files"} in ${basename(out) === flags.out ? flags.out : out}.\n`,
      );
    });
}
