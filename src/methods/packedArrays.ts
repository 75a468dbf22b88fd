/** Values with typed arrays as JSON can carry them, bit by bit: each array is its type and its bytes in base 64. */

const types = { Float64Array, Float32Array, Int32Array, Uint8Array } as const;
type TypeName = keyof typeof types;

/** Sits where an array, or a number that JSON does not know, was. */
interface Packed {
  readonly packed: TypeName | "number";
  readonly bytes: string;
}

/**
 * Replaces typed arrays, and the numbers that JSON would lose (NaN, ±∞, −0), by records of text.
 *
 * @throws TypeError if there is anything but numbers, strings, booleans, null, typed arrays, and plain records and arrays of them.
 * @internal
 */
export function packArrays(value: unknown): unknown {
  if (typeof value === "number") {
    return Number.isFinite(value) && !Object.is(value, -0) ? value : pack("number", Float64Array.of(value));
  }
  if (value === null || value === undefined || typeof value === "string" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(packArrays);
  if (ArrayBuffer.isView(value)) {
    const found = (Object.keys(types) as TypeName[]).find((name) => value.constructor === types[name]);
    if (found) return pack(found, value);
  } else if (typeof value === "object" && [Object.prototype, null].includes(Object.getPrototypeOf(value) as object)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, packArrays(inner)]));
  }
  const what = typeof value === "object" ? value.constructor.name : typeof value;
  throw new TypeError(`A ${what} cannot be sent; make batches of numbers, text, typed arrays, and records of them.`);
}

/**
 * What {@link packArrays} was given.
 *
 * @internal
 */
export function unpackArrays(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(unpackArrays);
  const { packed, bytes } = value as Partial<Packed>;
  if (typeof packed === "string" && typeof bytes === "string") {
    const { buffer } = Uint8Array.from(Buffer.from(bytes, "base64"));
    return packed === "number" ? new Float64Array(buffer)[0] : new types[packed](buffer);
  }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, unpackArrays(inner)]));
}

function pack(packed: Packed["packed"], view: ArrayBufferView): Packed {
  return { packed, bytes: Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("base64") };
}
