import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { parseZip } from "../../src/data/zip.js";
import { zipOf } from "./fixtures.js";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

describe("parseZip", () => {
  const archive = zipOf([
    { name: "folder/", content: new Uint8Array(0) },
    { name: "folder/stored.txt", content: bytes("as it is") },
    { name: "folder/deflated.txt", content: bytes("again ".repeat(500)), deflated: true, extra: 9 },
  ]);

  it("gives the files in order, stored and deflated, without the folders", () => {
    const entries = parseZip(archive, "a.zip");
    expect(entries.map(({ name, bytes }) => [name, bytes])).toEqual([
      ["folder/stored.txt", 8],
      ["folder/deflated.txt", 3000],
    ]);
    expect(entries.map(({ read }) => text(read()))).toEqual(["as it is", "again ".repeat(500)]);
  });

  it("reads one that stands in a larger buffer and has a comment behind it", () => {
    const comment = bytes("a comment");
    const padded = Buffer.concat([new Uint8Array(7), archive, comment]);
    padded[7 + archive.length - 2] = comment.length;
    const [first] = parseZip(new Uint8Array(padded.buffer, padded.byteOffset + 7, padded.length - 7), "a.zip");
    expect(text(first!.read())).toBe("as it is");
  });

  it("says what is wrong", () => {
    expect(() => parseZip(new Uint8Array(100), "a.zip")).toThrow("a.zip is no whole zip archive");
    expect(() => parseZip(new Uint8Array(3), "a.zip")).toThrow("a.zip is no whole zip archive");
    expect(() => parseZip(archive.subarray(50), "a.zip")).toThrow("a.zip is no whole zip archive");
    const [method] = [zipOf([{ name: "x", content: bytes("y"), method: 12 }])];
    expect(() => parseZip(method!, "a.zip")).toThrow("x is packed by method 12; only stored and deflated");
    const short = zipOf([{ name: "x", content: deflateRawSync(bytes("yy")), method: 8, bytes: 3 }]);
    expect(() => parseZip(short, "a.zip")[0]!.read()).toThrow("a.zip: x has 2 bytes instead of 3");
  });
});
