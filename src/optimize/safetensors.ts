/** The safetensors format: a header's length in eight little-endian bytes, the header as JSON, and the tensors' numbers one after another. */

/** A tensor as it is stored: row-major numbers and their shape. */
export interface StoredTensor {
  readonly dtype: "float64" | "float32" | "int32" | "bool";
  readonly shape: readonly number[];
  /** Float64Array for float64, Float32Array for float32, Int32Array for int32, Uint8Array for bool. */
  readonly data: Float64Array | Float32Array | Int32Array | Uint8Array;
}

const codes = { float64: "F64", float32: "F32", int32: "I32", bool: "BOOL" } as const;
const types = {
  F64: { dtype: "float64", bytes: 8, read: (buffer: ArrayBuffer) => new Float64Array(buffer) },
  F32: { dtype: "float32", bytes: 4, read: (buffer: ArrayBuffer) => new Float32Array(buffer) },
  I32: { dtype: "int32", bytes: 4, read: (buffer: ArrayBuffer) => new Int32Array(buffer) },
  BOOL: { dtype: "bool", bytes: 1, read: (buffer: ArrayBuffer) => new Uint8Array(buffer) },
} as const;
const metadataName = "__metadata__";

/**
 * Writes named tensors as one safetensors file. Wider types come first, so that every tensor is aligned.
 *
 * @throws Error if a name is `__metadata__`, which the format keeps for itself, or the numbers are not as many as the shape says.
 */
export function encodeSafetensors(tensors: ReadonlyMap<string, StoredTensor>): Uint8Array {
  const width = ({ dtype }: StoredTensor): number => types[codes[dtype]].bytes;
  const ordered = [...tensors].sort(([, a], [, b]) => width(b) - width(a));
  const entries: [string, object][] = [];
  let end = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    if (name === metadataName) throw new Error(`A tensor cannot be called ${metadataName} in a safetensors file.`);
    if (data.length !== sizeOf(shape)) {
      throw new Error(`Tensor ${name} has ${data.length} numbers, but its shape [${shape}] needs ${sizeOf(shape)}.`);
    }
    entries.push([name, { dtype: codes[dtype], shape, data_offsets: [end, end + data.byteLength] }]);
    end += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const header = Buffer.alloc(Math.ceil(text.length / 8) * 8, " ");
  text.copy(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const parts = ordered.map(([, { data }]) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  return Buffer.concat([length, header, ...parts]);
}

/**
 * Reads a safetensors file of float64, float32, int32 and bool tensors.
 *
 * The tensors must fill the data exactly, without a gap or an overlap, as the format demands.
 *
 * @throws Error with one sentence that names what is wrong: a truncated file, a header that is no JSON, a type or shape that is not
 *   known, or offsets that do not fit.
 */
export function decodeSafetensors(bytes: Uint8Array): Map<string, StoredTensor> {
  if (bytes.length < 8) throw damaged(`it has ${bytes.length} bytes, fewer than the 8 of a header's length`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(bytes.length - 8)) {
    throw damaged(`its header should have ${length} bytes, but only ${bytes.length - 8} follow; it may be truncated`);
  }
  const data = bytes.subarray(8 + Number(length));
  const tensors = new Map<string, StoredTensor>();
  const ranges: { name: string; begin: number; end: number }[] = [];
  for (const [name, entry] of Object.entries(parseHeader(bytes.subarray(8, 8 + Number(length))))) {
    if (name === metadataName) continue;
    const { code, shape, begin, end } = checkEntry(name, entry);
    const { dtype, bytes: width, read } = types[code];
    if (end > data.length) {
      throw damaged(`tensor ${name} ends at byte ${end} of ${data.length} bytes of data; it may be truncated`);
    }
    if (end - begin !== sizeOf(shape) * width) {
      throw damaged(`tensor ${name} has ${end - begin} bytes, but ${code} [${shape}] needs ${sizeOf(shape) * width}`);
    }
    ranges.push({ name, begin, end });
    tensors.set(name, { dtype, shape, data: read(Uint8Array.from(data.subarray(begin, end)).buffer) });
  }
  let filled = 0;
  for (const { name, begin, end } of ranges.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < filled) throw damaged(`tensor ${name} overlaps another`);
    if (begin > filled) throw damaged(`no tensor fills the bytes from ${filled} to ${begin} of the data`);
    filled = end;
  }
  if (filled < data.length) throw damaged(`${data.length - filled} bytes follow the last tensor`);
  return tensors;
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw damaged("its header is not JSON");
  }
  if (typeof header === "object" && header !== null && !Array.isArray(header)) return header as Record<string, unknown>;
  throw damaged("its header is not a JSON object");
}

function checkEntry(
  name: string,
  entry: unknown,
): { code: keyof typeof types; shape: number[]; begin: number; end: number } {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(types, dtype)) {
    throw damaged(`tensor ${name} has the type ${JSON.stringify(dtype)}, and only F64, F32, I32 and BOOL are read`);
  }
  if (!isCounts(shape)) throw damaged(`tensor ${name} has the shape ${JSON.stringify(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw damaged(`tensor ${name} has the offsets ${JSON.stringify(offsets)}`);
  }
  return { code: dtype as keyof typeof types, shape, begin: offsets[0]!, end: offsets[1]! };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function damaged(what: string): Error {
  return new Error(`This is no valid safetensors file: ${what}.`);
}
