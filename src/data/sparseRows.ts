/** A matrix of which few entries are given, in compressed sparse rows: counts that are not 0, or ratings that were made. */
export interface SparseRows {
  /** How many rows: users, documents. */
  readonly size: number;
  /** How many columns: items, words. */
  readonly columns: number;
  /** Row r has the entries `offsets[r]` to `offsets[r + 1]`; `[size + 1]`. */
  readonly offsets: Int32Array;
  /** The column of each entry, distinct within a row. */
  readonly indices: Int32Array;
  /** Each entry. */
  readonly values: Float64Array;
}

/** One entry of a sparse matrix. */
export interface SparseEntry {
  readonly row: number;
  readonly column: number;
  readonly value: number;
}

/**
 * A sparse matrix from its entries, in any order; a row may have none.
 *
 * @throws RangeError if a size is no positive integer, or an entry is outside the matrix, not finite or given twice (the error names the first).
 */
export function sparseRowsOf(options: {
  readonly size: number;
  readonly columns: number;
  readonly entries: readonly SparseEntry[];
}): SparseRows {
  const { size, columns, entries } = options;
  for (const [name, count] of Object.entries({ size, columns })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`sparseRowsOf: ${name} must be a positive integer, not ${count}.`);
  }
  const offsets = new Int32Array(size + 1);
  entries.forEach(({ row, column, value }, e) => {
    const inside = Number.isInteger(row) && row >= 0 && row < size;
    if (!inside || !Number.isInteger(column) || column < 0 || column >= columns) {
      throw new RangeError(
        `sparseRowsOf: entry ${e} is at row ${row}, column ${column}, outside the ${size} rows and ${columns} columns.`,
      );
    }
    if (!Number.isFinite(value))
      throw new RangeError(`sparseRowsOf: entry ${e}, at row ${row}, column ${column}, is ${value}; leave it out.`);
    offsets[row + 1]++;
  });
  for (let r = 0; r < size; r++) offsets[r + 1] += offsets[r];
  const [indices, values] = [new Int32Array(entries.length), new Float64Array(entries.length)];
  const next = offsets.slice(0, size);
  for (const { row, column, value } of entries) {
    indices[next[row]] = column;
    values[next[row]++] = value;
  }
  const matrix = { size, columns, offsets, indices, values };
  checkSparseRows("sparseRowsOf", matrix);
  return matrix;
}

/**
 * Holds a matrix that was put together by hand to what {@link SparseRows} says.
 *
 * @throws RangeError, naming the first, if offsets do not ascend from 0 to the number of entries, a column is outside the matrix or stands twice in a row, or a value is
 *   not finite.
 */
export function checkSparseRows(where: string, matrix: SparseRows): void {
  const { size, columns, offsets, indices, values } = matrix;
  if (offsets.length !== size + 1 || offsets[0] !== 0 || offsets[size] !== values.length) {
    throw new RangeError(
      `${where}: the offsets of ${size} rows must be ${size + 1} numbers from 0 to the ${values.length} entries, not ${offsets.length} from ${offsets[0]} to ${offsets[offsets.length - 1]}.`,
    );
  }
  if (indices.length !== values.length)
    throw new RangeError(`${where}: ${values.length} values have as many columns, not ${indices.length}.`);
  const seen = new Int32Array(columns).fill(-1);
  for (let r = 0; r < size; r++) {
    if (offsets[r + 1] < offsets[r])
      throw new RangeError(`${where}: the offset of row ${r + 1} is below that of row ${r}; offsets must ascend.`);
    for (let e = offsets[r]; e < offsets[r + 1]; e++) {
      const column = indices[e];
      if (!(column >= 0 && column < columns))
        throw new RangeError(`${where}: row ${r} has an entry in column ${column}, outside the ${columns} columns.`);
      if (seen[column] === r)
        throw new RangeError(`${where}: row ${r} has column ${column} twice; add the entries up, or keep one.`);
      if (!Number.isFinite(values[e]))
        throw new RangeError(`${where}: the entry of row ${r}, column ${column} is ${values[e]}; leave it out.`);
      seen[column] = r;
    }
  }
}

/** The rows of these numbers. */
export function selectSparseRows(from: SparseRows, rows: Int32Array): SparseRows {
  const offsets = new Int32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++) offsets[i + 1] = offsets[i] + from.offsets[rows[i] + 1] - from.offsets[rows[i]];
  const [indices, values] = [new Int32Array(offsets[rows.length]), new Float64Array(offsets[rows.length])];
  for (let i = 0; i < rows.length; i++) {
    const [first, last] = [from.offsets[rows[i]], from.offsets[rows[i] + 1]];
    indices.set(from.indices.subarray(first, last), offsets[i]);
    values.set(from.values.subarray(first, last), offsets[i]);
  }
  return { size: rows.length, columns: from.columns, offsets, indices, values };
}
