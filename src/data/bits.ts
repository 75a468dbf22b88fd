/** Rows of bits, one byte a bit. */
export interface BitTable {
  readonly rows: number;
  readonly columns: number;
  /** `[rows · columns]`, 0 or 1, row by row. */
  readonly values: Uint8Array;
}

const [zero, one, newline] = [48, 49, 10];
const separators = new Set([9, 13, 32]);

/**
 * Read a table of bits from text, `0 1 …` a line, separated by blanks; blank lines are passed over. It works on bytes: a hundred million of them take a
 * fraction of a second.
 *
 * @param content - the uncompressed file.
 * @param what - the file's name, for the error.
 * @param columns - how many bits a line must have.
 * @throws RangeError, naming the line, if a character is neither 0 nor 1 nor a blank, if two bits are not separated, or if a line has another number of bits.
 */
export function parseBits(content: Uint8Array, what: string, columns: number): BitTable {
  if (!Number.isInteger(columns) || columns < 1)
    throw new RangeError(`parseBits: columns must be a positive integer, not ${columns}.`);
  const values = new Uint8Array((content.length + 1) >> 1); // two bits never touch
  const { length } = content;
  let [bits, inLine, line] = [0, 0, 1];
  const endLine = (): void => {
    if (inLine !== 0 && inLine !== columns)
      throw new RangeError(`${what}, line ${line}: ${inLine} bits instead of ${columns}.`);
    inLine = 0;
    line++;
  };
  for (let i = 0, previous = newline; i < length; i++) {
    const byte = content[i];
    if (byte === zero || byte === one) {
      if (previous === zero || previous === one)
        throw new RangeError(`${what}, line ${line}: two bits are not separated by a blank.`);
      values[bits++] = byte - zero;
      inLine++;
    } else if (byte === newline) endLine();
    else if (!separators.has(byte)) throw new RangeError(`${what}, line ${line}: ${describe(byte)} is not 0 or 1.`);
    previous = byte;
  }
  endLine();
  return { rows: bits / columns, columns, values: values.subarray(0, bits) };
}

function describe(byte: number): string {
  return byte > 32 && byte < 127 ? `"${String.fromCharCode(byte)}"` : `the byte ${byte}`;
}
