/** Sequences of observations, of any lengths, one after another. */
export interface Sequences {
  /** How many sequences. */
  readonly size: number;
  /** Numbers in an observation. */
  readonly columns: number;
  /** Sequence s has the observations `offsets[s]` to `offsets[s + 1]`; `[size + 1]`. */
  readonly offsets: Int32Array;
  /** `[observations · columns]`, row by row. */
  readonly values: Float64Array;
}

/**
 * Sequences from the observations of each.
 *
 * @param sequences - of each its observations, `[T_s · columns]`, row by row.
 * @param columns - numbers in an observation. Default 1.
 * @throws RangeError if there are none, one is empty or no whole number of observations, or a number is not finite (the error names the first).
 */
export function sequencesOf(sequences: readonly ArrayLike<number>[], columns = 1): Sequences {
  if (!Number.isInteger(columns) || columns < 1)
    throw new RangeError(`sequencesOf: columns must be a positive integer, not ${columns}.`);
  if (sequences.length === 0) throw new RangeError("sequencesOf: there are no sequences; give at least one.");
  const offsets = new Int32Array(sequences.length + 1);
  sequences.forEach((sequence, s) => {
    if (sequence.length === 0 || sequence.length % columns !== 0) {
      throw new RangeError(
        `sequencesOf: sequence ${s} must be at least one observation of ${columns} numbers each, not ${sequence.length} numbers.`,
      );
    }
    for (let i = 0; i < sequence.length; i++) {
      if (!Number.isFinite(sequence[i])) {
        throw new RangeError(
          `sequencesOf: observation ${Math.floor(i / columns)} of sequence ${s} has ${sequence[i]} in column ${i % columns}; give finite numbers.`,
        );
      }
    }
    offsets[s + 1] = offsets[s] + sequence.length / columns;
  });
  const values = new Float64Array(offsets[sequences.length] * columns);
  sequences.forEach((sequence, s) => {
    values.set(sequence, offsets[s] * columns);
  });
  return { size: sequences.length, columns, offsets, values };
}

/** The sequences of these numbers. */
export function selectSequences(from: Sequences, rows: Int32Array): Sequences {
  const { columns } = from;
  const offsets = new Int32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++) offsets[i + 1] = offsets[i] + from.offsets[rows[i] + 1] - from.offsets[rows[i]];
  const values = new Float64Array(offsets[rows.length] * columns);
  for (let i = 0; i < rows.length; i++) {
    const [first, last] = [from.offsets[rows[i]], from.offsets[rows[i] + 1]];
    values.set(from.values.subarray(first * columns, last * columns), offsets[i] * columns);
  }
  return { size: rows.length, columns, offsets, values };
}
