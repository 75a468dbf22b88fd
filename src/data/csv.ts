/** A table of numbers. */
export interface NumberTable {
  /** Column names, if the file has a header. */
  readonly header?: readonly string[];
  readonly rows: number;
  readonly columns: number;
  /** `[rows · columns]`, row by row. */
  readonly values: Float64Array;
}

/**
 * Read a table of numbers from comma-separated text; blank lines and lines that begin with `#` are passed over.
 *
 * @param text - the file's content.
 * @param what - the file's name, for the error.
 * @param options - `header`: whether the first line names the columns (no by default).
 * @throws RangeError, naming the line, if a cell is not a finite number or a row has another length than the first.
 */
export function parseCsv(text: string, what: string, options: { readonly header?: boolean } = {}): NumberTable {
  const lines = text
    .split(/\r?\n/)
    .map((line, i) => ({ cells: line.split(","), number: i + 1, skip: line.trim() === "" || line.startsWith("#") }))
    .filter((line) => !line.skip);
  const header = options.header ? lines.shift()?.cells.map((cell) => cell.trim()) : undefined;
  const columns = header?.length ?? lines[0]?.cells.length ?? 0;
  const values = new Float64Array(lines.length * columns);
  for (const [row, { cells, number }] of lines.entries()) {
    if (cells.length !== columns) {
      throw new RangeError(`${what}, line ${number}: ${cells.length} cells instead of ${columns}.`);
    }
    for (const [column, cell] of cells.entries()) {
      const value = cell.trim() === "" ? Number.NaN : Number(cell);
      if (!Number.isFinite(value)) throw new RangeError(`${what}, line ${number}: "${cell}" is not a number.`);
      values[row * columns + column] = value;
    }
  }
  return { ...(header && { header }), rows: lines.length, columns, values };
}
