import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fontFiles } from "../../notebook/fonts.js";
import { runChild } from "../children.js";
import { jupyterEnvironment } from "../environment.js";
import { Failure } from "../failure.js";
import { paths, venvPython } from "../paths.js";

/** A drawn figure and where its PDF goes. */
export interface PdfJob {
  readonly svg: string;
  readonly pdf: string;
}

/**
 * Turns SVG figures into PDFs by vl-convert, which keeps their text as text; all in one Python process.
 *
 * @throws Failure if a figure cannot be drawn; it names which.
 */
export async function renderPdfs(jobs: readonly PdfJob[]): Promise<void> {
  if (jobs.length === 0) return;
  const fonts = fontFiles().flatMap((file) => ["--fonts", dirname(file)]);
  const result = await runChild(
    venvPython,
    [join(paths.python, "render_pdf.py"), ...fonts, ...jobs.flatMap(({ svg, pdf }) => [svg, pdf])],
    { environment: jupyterEnvironment() },
  );
  if (result.code !== 0) {
    throw new Failure(
      `A PDF could not be drawn: ${result.stderr.trim().split("\n").at(-1) || "vl-convert said nothing"}.`,
    );
  }
}

/** Makes the PDF of every figure in a notebook's folder. */
export async function renderFolder(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".vl.json"))
    .map((name) => name.slice(0, -".vl.json".length))
    .filter((name) => existsSync(join(folder, `${name}.svg`)));
  await renderPdfs(names.map((name) => ({ svg: join(folder, `${name}.svg`), pdf: join(folder, `${name}.pdf`) })));
}
