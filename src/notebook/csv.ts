/** Rows as CSV (RFC 4180). */
import { escapeCsv } from "./escape.js";

/** A CSV of the given fields of rows, with a header; `null` and what is missing are empty, numbers are written in full. */
export function toCsv(rows: readonly { readonly [field: string]: unknown }[], fields?: readonly string[]): string {
  const columns = fields ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value: unknown): string => (value === null || value === undefined ? "" : escapeCsv(String(value)));
  return [columns.map(escapeCsv), ...rows.map((row) => columns.map((field) => cell(row[field])))]
    .map((line) => `${line.join(",")}\n`)
    .join("");
}
