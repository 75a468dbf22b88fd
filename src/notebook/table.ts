/** A table from rows: shown as HTML and Markdown, written as CSV, Markdown and booktabs LaTeX, so that no number is typed by hand. */
import { join } from "node:path";
import { toCsv } from "./csv.js";
import { display } from "./display.js";
import { escapeHtml, escapeMarkdown, escapeTex } from "./escape.js";
import { completeCaption, type Origin } from "./figure.js";
import { writeAtomically, writeJson } from "./files.js";
import { formatMeasured } from "./measured.js";

/** One row of a table. */
export type TableRow = { readonly [field: string]: string | number | boolean | null | undefined };

/** What a table takes of a danfojs DataFrame. */
export interface DataFrameLike {
  readonly columns: readonly string[];
  readonly values: unknown;
}

/** One column of a table. */
export interface TableColumn {
  readonly field: string;
  /** Heading (default: the field's name). */
  readonly title?: string;
  /** Heading in LaTeX, where it is not the escaped title: `"$\\log p(x)$"`. */
  readonly tex?: string;
  /** Significant digits of numbers without an error (default 5). */
  readonly digits?: number;
  /** The field that holds the standard error of this one; the two print as one column `value ± error`. */
  readonly standardError?: string;
}

/** Options of {@link Notebook.table}. */
export interface TableOptions {
  /** What the table shows, in sentences. Profile and seed are added. */
  readonly caption: string;
  /** The sample sizes, added to the caption. */
  readonly samples?: string;
  /** The columns in order (default: every field of the rows). */
  readonly columns?: readonly TableColumn[];
}

/** A table as text: headings and cells, columns of numbers aligned right. */
export interface TableText {
  readonly titles: readonly string[];
  readonly texTitles: readonly string[];
  readonly cells: readonly (readonly string[])[];
  readonly numeric: readonly boolean[];
}

/** A table's `.table.json`: its text and caption, as the report shows them. */
export interface TableFile extends TableText {
  readonly caption: string;
}

/** The rows of a table, from rows or from a DataFrame. */
function toRows(given: readonly TableRow[] | DataFrameLike): readonly TableRow[] {
  if (Array.isArray(given)) return given;
  const { columns, values } = given as DataFrameLike;
  return (values as TableRow[string][][]).map((line) =>
    Object.fromEntries(columns.map((column, i) => [column, line[i]])),
  );
}

function cellText(row: TableRow, column: TableColumn): string {
  const value = row[column.field];
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  const error = column.standardError === undefined ? undefined : row[column.standardError];
  return formatMeasured(value, typeof error === "number" ? error : undefined, column.digits);
}

/**
 * Lays a table out as text.
 *
 * @throws Error if there is no row or a column is in none of them.
 */
export function layTable(name: string, rows: readonly TableRow[], given?: readonly TableColumn[]): TableText {
  if (rows.length === 0) throw new Error(`Table "${name}" has no rows.`);
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns: readonly TableColumn[] = given ?? fields.map((field) => ({ field }));
  for (const field of columns.flatMap(({ field, standardError }) => [
    field,
    ...(standardError === undefined ? [] : [standardError]),
  ])) {
    if (!fields.includes(field))
      throw new Error(`Table "${name}" has no field "${field}" (there are: ${fields.join(", ")}).`);
  }
  return {
    titles: columns.map(({ field, title }) => title ?? field),
    texTitles: columns.map(({ field, title, tex }) => tex ?? escapeTex(title ?? field)),
    cells: rows.map((row) => columns.map((column) => cellText(row, column))),
    numeric: columns.map(({ field }) => rows.some((row) => typeof row[field] === "number")),
  };
}

/** A table as HTML; everything is escaped. */
export function tableHtml({ titles, cells, numeric }: TableText, caption: string): string {
  const line = (tag: string, values: readonly string[]): string =>
    `<tr>${values.map((value, i) => `<${tag} style="text-align:${numeric[i] ? "right" : "left"}">${escapeHtml(value)}</${tag}>`).join("")}</tr>`;
  return `<p>${escapeHtml(caption)}</p><table><thead>${line("th", titles)}</thead><tbody>${cells.map((row) => line("td", row)).join("")}</tbody></table>`;
}

/** A table as GitHub-flavoured Markdown, columns padded to read as text too. */
export function tableMarkdown({ titles, cells, numeric }: TableText, caption: string): string {
  const lines = [titles, ...cells].map((line) => line.map(escapeMarkdown));
  const widths = titles.map((_, i) => Math.max(3, ...lines.map((line) => line[i]!.length)));
  const write = (line: readonly string[]): string =>
    `| ${line.map((cell, i) => (numeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (numeric[i] ? `${"-".repeat(width - 1)}:` : "-".repeat(width))).join(" | ")} |`;
  return `${[write(lines[0]!), rule, ...lines.slice(1).map(write)].join("\n")}\n\n${escapeMarkdown(caption)}\n`;
}

/** A table as a LaTeX `table` of the booktabs package, labelled `tab:<name>`. */
export function tableTex({ texTitles, cells, numeric }: TableText, caption: string, name: string): string {
  const line = (values: readonly string[]): string => `    ${values.join(" & ")} \\\\`;
  return `${[
    "% Needs \\usepackage{booktabs}.",
    "\\begin{table}",
    "  \\centering",
    `  \\caption{${escapeTex(caption)}}`,
    `  \\label{tab:${name}}`,
    `  \\begin{tabular}{${numeric.map((number) => (number ? "r" : "l")).join("")}}`,
    "    \\toprule",
    line(texTitles),
    "    \\midrule",
    ...cells.map((row) => line(row.map(escapeTex))),
    "    \\bottomrule",
    "  \\end{tabular}",
    "\\end{table}",
  ].join("\n")}\n`;
}

/** Checks, shows and writes a table. @internal */
export async function makeTable(
  origin: Origin,
  name: string,
  given: readonly TableRow[] | DataFrameLike,
  options: TableOptions,
): Promise<void> {
  if (!options.caption?.trim()) throw new Error(`Table "${name}" has no caption: say in a sentence what it shows.`);
  const rows = toRows(given);
  const table = layTable(name, rows, options.columns);
  const caption = completeCaption(options.caption, origin, options.samples);
  const markdown = tableMarkdown(table, caption);
  const file = (extension: string): string => join(origin.output, `${name}.${extension}`);
  await writeAtomically(file("csv"), toCsv(rows));
  await writeAtomically(file("md"), markdown);
  await writeAtomically(file("tex"), tableTex(table, caption, name));
  await writeJson(file("table.json"), { caption, ...table } satisfies TableFile);
  display({
    data: { "text/html": tableHtml(table, caption), "text/markdown": markdown, "text/plain": markdown.trimEnd() },
  });
}
