import { describe, expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../src/optimize/safetensors.js";

const tensors = new Map<string, StoredTensor>([
  ["mask", { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ["phi.mean", { dtype: "float32", shape: [2, 2], data: Float32Array.of(1.5, -0, 3e-45, 3.4e38) }],
  ["count", { dtype: "int32", shape: [], data: Int32Array.of(-7) }],
  ["exact", { dtype: "float64", shape: [3], data: Float64Array.of(0.1, -0, 5e-324) }],
  ["none", { dtype: "float32", shape: [0, 4], data: new Float32Array(0) }],
]);

/** A file with the given header and so many bytes of data. */
function file(header: unknown, bytes: number): Uint8Array {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(bytes)]);
}
const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = "F32") => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe("safetensors", () => {
  it("gives back every bit, from any offset in memory", () => {
    const bytes = encodeSafetensors(tensors);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    for (const read of [decodeSafetensors(bytes), decodeSafetensors(shifted.subarray(1))]) {
      expect(new Set(read.keys())).toEqual(new Set(tensors.keys()));
      for (const [name, tensor] of tensors) expect(read.get(name)).toEqual(tensor);
    }
  });

  it("writes the bytes that the format prescribes", () => {
    const bytes = encodeSafetensors(new Map([["a", { dtype: "float32", shape: [1], data: Float32Array.of(1) }]]));
    const header = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    const padded = header.padEnd(56);
    expect(Buffer.from(bytes).subarray(0, 8)).toEqual(Buffer.of(56, 0, 0, 0, 0, 0, 0, 0));
    expect(Buffer.from(bytes).subarray(8, 64).toString()).toBe(padded);
    expect([...bytes.subarray(64)]).toEqual([0, 0, 0x80, 0x3f]);
  });

  it("reads a header with metadata and the offsets in any order", () => {
    const read = decodeSafetensors(file({ b: entry(8, 12), __metadata__: { by: "x" }, a: entry(0, 8) }, 12));
    expect([...read].map(([name, { shape }]) => [name, shape])).toEqual([
      ["b", [1]],
      ["a", [2]],
    ]);
  });

  it("refuses every truncation", () => {
    const bytes = encodeSafetensors(tensors);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSafetensors(bytes.subarray(0, length)), `${length} bytes`).toThrow(
        /^This is no valid safetensors file: /,
      );
    }
  });

  it("says in a sentence what is wrong", () => {
    const message = (header: unknown, bytes = 8): string => {
      try {
        decodeSafetensors(file(header, bytes));
      } catch (error) {
        return (error as Error).message;
      }
      return "nothing";
    };
    expect(message("{", 0)).toMatch("its header is not JSON");
    expect(message("[1]", 0)).toMatch("its header is not a JSON object");
    expect(message({ a: null })).toMatch("tensor a has the type undefined");
    expect(message({ a: entry(0, 8, [2], "F16") })).toMatch('the type "F16", and only F64, F32, I32 and BOOL are read');
    expect(message({ a: entry(0, 8, [2], "toString") })).toMatch('the type "toString"');
    expect(message({ a: entry(0, 8, [-2]) })).toMatch("the shape [-2]");
    expect(message({ a: entry(0, 8, [1.5]) })).toMatch("the shape [1.5]");
    expect(message({ a: { dtype: "F32", shape: [2], data_offsets: [8, 0] } })).toMatch("the offsets [8,0]");
    expect(message({ a: { dtype: "F32", shape: [2] } })).toMatch("the offsets undefined");
    expect(message({ a: entry(0, 8, [3]) })).toMatch("has 8 bytes, but F32 [3] needs 12");
    expect(message({ a: entry(0, 16) })).toMatch("ends at byte 16 of 8 bytes of data");
    expect(message({ a: entry(0, 8), b: entry(4, 8) })).toMatch("tensor b overlaps another");
    expect(message({ a: entry(4, 8) })).toMatch("no tensor fills the bytes from 0 to 4");
    expect(message({ a: entry(0, 4) })).toMatch("4 bytes follow the last tensor");
    const huge = file({ a: entry(0, 8) }, 8);
    huge.fill(255, 0, 8);
    expect(() => decodeSafetensors(huge)).toThrow("its header should have 18446744073709551615 bytes");
  });

  it("refuses to write what could not be read back", () => {
    const scalar: StoredTensor = { dtype: "float32", shape: [2], data: Float32Array.of(1) };
    expect(() => encodeSafetensors(new Map([["a", scalar]]))).toThrow(
      "Tensor a has 1 numbers, but its shape [2] needs 2",
    );
    expect(() => encodeSafetensors(new Map([["__metadata__", { ...scalar, shape: [1] }]]))).toThrow("cannot be called");
  });
});
