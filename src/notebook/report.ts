/** The whole shelf on one page that needs nothing else: claims, interactive figures and tables, to be opened from disk. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { ClaimsFile } from "./claim.js";
import { claimsHtml } from "./claimsTable.js";
import { escapeHtml, scriptJson } from "./escape.js";
import type { FigureMeta } from "./figure.js";
import { writeAtomically } from "./files.js";
import { fontFamily, fontFiles } from "./fonts.js";
import { collectLedger, type LedgerOptions, rerunCommand } from "./ledger.js";
import { type TableFile, tableHtml } from "./table.js";

/** The content policy of the page: what it carries may run, nothing may be fetched. */
const policy =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'";

const style = `
:root { color-scheme: light; }
body { font: 16px/1.5 "${fontFamily}", system-ui, sans-serif; color: #222; background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { font-weight: 600; line-height: 1.2; }
h2 { margin-top: 3rem; border-top: 1px solid #ddd; padding-top: 1.5rem; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #e4e4e4; }
thead th { border-bottom: 1.5px solid #222; }
caption { padding-bottom: .4rem; }
figure { margin: 2rem 0; overflow-x: auto; }
figcaption, .facts { font-size: 14px; color: #444; max-width: 45rem; }
code { font-size: 13px; }
.wide { overflow-x: auto; }
.missing { color: #b3261e; }
`;

const script = `
for (const holder of document.querySelectorAll("[data-chart]")) {
  const spec = JSON.parse(document.getElementById(holder.dataset.chart).textContent);
  vegaEmbed(holder, spec, { mode: "vega-lite", renderer: "svg", actions: false, ast: true })
    .then(() => { holder.dataset.drawn = "true"; })
    .catch((error) => { holder.textContent = "This figure cannot be drawn: " + error.message; });
}
`;

/** Source of a browser build that lies beside a package's main file. */
async function browserBuild(name: string): Promise<string> {
  const path = join(dirname(createRequire(import.meta.url).resolve(name)), `${name}.min.js`);
  const source = await readFile(path, "utf8");
  // Inside a script element only these two can end it or hide what follows.
  return source
    .replace(/<\/script/gi, "<\\/script")
    .replace(/<!--/g, "<\\!--")
    .replace(/^\/\/# sourceMappingURL=.*$/gm, "");
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch {
    return undefined;
  }
}

interface Chart {
  readonly $schema: string;
  readonly usermeta: FigureMeta;
}

async function figureHtml(folder: string, file: ClaimsFile, name: string): Promise<string> {
  const chart = await readJson<Chart>(join(folder, `${name}.vl.json`));
  if (chart === undefined) return `<p class="missing">The figure ${escapeHtml(name)} is missing or damaged.</p>`;
  // The page's own vega-lite draws it, whatever version JupyterLab needs to be told.
  const { $schema: _schema, ...spec } = chart;
  const id = escapeHtml(`${file.notebook}/${name}`);
  return `<figure id="${id}"><script type="application/json" id="${id}.json">${scriptJson(spec)}</script>
<div data-chart="${id}.json" role="img" aria-label="${escapeHtml(chart.usermeta.alt)}"></div>
<figcaption><b>${escapeHtml(name)}.</b> ${escapeHtml(chart.usermeta.caption)}</figcaption></figure>`;
}

async function tableSection(folder: string, name: string): Promise<string> {
  const table = await readJson<TableFile>(join(folder, `${name}.table.json`));
  if (table === undefined) return `<p class="missing">The table ${escapeHtml(name)} is missing or damaged.</p>`;
  return `<div class="wide">${tableHtml(table, table.caption)}</div>`;
}

async function section(output: string, file: ClaimsFile): Promise<string> {
  const folder = join(output, file.notebook);
  const figures = await Promise.all(file.figures.map((name) => figureHtml(folder, file, name)));
  const tables = await Promise.all(file.tables.map((name) => tableSection(folder, name)));
  const unfinished = file.finished ? "" : ` <b class="missing">Not finished: the notebook stopped before its end.</b>`;
  return `<section id="${escapeHtml(file.notebook)}"><h2>${escapeHtml(file.notebook)}</h2>
<p class="facts">Profile ${file.profile}, seed ${file.seed}, backend ${escapeHtml(file.backend)}, ${escapeHtml(file.startedAt)}, ${file.seconds} s.${unfinished} Again: <code>${escapeHtml(rerunCommand(file.notebook, file.profile))}</code></p>
<div class="wide">${claimsHtml(file.claims)}</div>
${figures.join("\n")}
${tables.join("\n")}</section>`;
}

function summary(notebooks: readonly ClaimsFile[]): string {
  const rows = notebooks.map((file) => {
    const count = (verdict: string): number => file.claims.filter((claim) => claim.verdict === verdict).length;
    const counts = ["reproduced", "failed", "negative", "skipped", "unresolved"].map(
      (verdict) => `<td>${count(verdict) || ""}</td>`,
    );
    const id = escapeHtml(file.notebook);
    return `<tr><td><a href="#${id}">${id}</a></td><td>${file.profile}</td><td>${file.seconds} s</td>${counts.join("")}</tr>`;
  });
  const head = ["Notebook", "Profile", "Time", "✓ reproduced", "✗ failed", "− negative", "○ skipped", "? unresolved"];
  return `<table><thead><tr>${head.map((title) => `<th style="text-align:left">${title}</th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

/**
 * Writes `report/index.html` under `output`: every notebook's claims, figures and tables on one page, with vega and the font inside, so that it
 * opens from disk without a network.
 *
 * @returns the page's path.
 * @throws Error if a claims file is damaged or the page cannot be written.
 */
export async function writeReport(options: LedgerOptions): Promise<string> {
  const { notebooks } = await collectLedger(options);
  const builds = await Promise.all(["vega", "vega-lite", "vega-embed"].map(browserBuild));
  const font = (await readFile(fontFiles()[0]!)).toString("base64");
  const sections = await Promise.all(notebooks.map((file) => section(options.output, file)));
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>marginalia: report</title>
<style>@font-face { font-family: "${fontFamily}"; src: url(data:font/ttf;base64,${font}); }${style}</style>
</head>
<body>
<h1>What the notebooks show</h1>
${notebooks.length === 0 ? "<p>No notebook has been run yet.</p>" : summary(notebooks)}
${sections.join("\n")}
${builds.map((source) => `<script>${source}</script>`).join("\n")}
<script>${script}</script>
</body>
</html>
`;
  const path = join(options.output, "report", "index.html");
  await writeAtomically(path, html);
  return path;
}
