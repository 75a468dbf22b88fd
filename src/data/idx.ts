/** An array in the idx format of MNIST. */
export interface IdxArray {
  /** Sizes, slowest axis first. */
  readonly shape: readonly number[];
  /** `[∏ shape]`. */
  readonly values: Uint8Array;
}

/**
 * Read an array of bytes in idx format: 0, 0, type 8, rank, big-endian 32-bit sizes, values.
 *
 * @param content - the uncompressed file.
 * @param what - the file's name, for the error.
 * @throws RangeError if it is not idx, does not hold unsigned bytes, or its length does not fit its shape.
 * Source: LeCun, Cortes & Burges, The MNIST database, "File formats".
 */
export function parseIdx(content: Uint8Array, what: string): IdxArray {
  if (content.length < 4 || content[0] !== 0 || content[1] !== 0) {
    throw new RangeError(`${what} is no idx file: it does not begin with two zero bytes.`);
  }
  if (content[2] !== 8)
    throw new RangeError(`${what} holds idx type ${content[2]}; only type 8, unsigned bytes, is read.`);
  const rank = content[3];
  const header = 4 + 4 * rank;
  if (content.length < header) throw new RangeError(`${what} ends within its idx header.`);
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const values = content.subarray(header);
  const expected = shape.reduce((product, size) => product * size, 1);
  if (values.length !== expected) {
    throw new RangeError(`${what} says it holds ${shape.join("×")} bytes, but ${values.length} follow its header.`);
  }
  return { shape, values };
}
