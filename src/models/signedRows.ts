import type { NumberTable } from "../data/csv.js";

/** Rows of a logistic regression, read. */
export interface SignedRows {
  /** Inputs, `[N · D]`, row by row. */
  readonly x: Float64Array;
  /** 2y − 1, `[N]`. */
  readonly signed: Float64Array;
  readonly n: number;
  readonly D: number;
}

/**
 * Inputs and signs of rows (y, x), y 0 or 1.
 *
 * @throws RangeError if there are no rows or no inputs, a label is not 0 or 1, or a number is not finite.
 * @internal
 */
export function signedRows(where: string, { values, rows: n, columns }: NumberTable): SignedRows {
  if (n < 1 || columns < 2)
    throw new RangeError(`${where}: ${n} rows of ${columns} numbers; it needs at least one row (y, x) with one input.`);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1)
    throw new RangeError(
      `${where}: the number in row ${Math.floor(bad / columns)}, column ${bad % columns} is ${values[bad]}; remove or impute such rows.`,
    );
  const D = columns - 1;
  const x = new Float64Array(n * D);
  const signed = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const y = values[i * columns];
    if (y !== 0 && y !== 1) throw new RangeError(`${where}: the label of row ${i} is ${y}, but must be 0 or 1.`);
    signed[i] = 2 * y - 1;
    x.set(values.subarray(i * columns + 1, (i + 1) * columns), i * D);
  }
  return { x, signed, n, D };
}
