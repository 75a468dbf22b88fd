import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { cacheDirectory, paths } from "../../src/cli/paths.js";
import { catalogue } from "../../src/data/catalogue.js";
import { DataError } from "../../src/data/dataError.js";
import { dataFolders, findDatasets, findFile, loadFile } from "../../src/data/locate.js";
import { dataFile, emptyEnvironment, put } from "./fixtures.js";

const content = new TextEncoder().encode("handwritten ".repeat(500));
const file = dataFile("letters/a", content);

async function failure(promise: Promise<unknown>): Promise<DataError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return error as DataError;
}

describe("dataFolders", () => {
  it("are MARGINALIA_DATA, the project's own, the cache, in this order", () => {
    const folders = dataFolders({ MARGINALIA_DATA: "/some/data", MARGINALIA_CACHE: "/some/cache" });
    expect(folders.map(({ path }) => path)).toEqual(["/some/data", paths.data, "/some/cache/data"]);
    expect(dataFolders({ XDG_CACHE_HOME: "/x" }).map(({ path }) => path)).toEqual([paths.data, "/x/marginalia/data"]);
  });

  it("has the same cache as the commands", () => {
    for (const environment of [{ HOME: "/home/a" }, { XDG_CACHE_HOME: "/x" }, { MARGINALIA_CACHE: "/c" }]) {
      expect(dataFolders(environment).at(-1)?.path).toBe(join(cacheDirectory(environment), "data"));
    }
  });
});

describe("loadFile", () => {
  it("reads a file as it is or gzipped, the first folder first", async () => {
    const environment = emptyEnvironment();
    put(environment.MARGINALIA_CACHE, "data/letters/a.gz", gzipSync(content));
    expect(await loadFile(file, { environment })).toEqual(content);
    const nearer = put(environment.MARGINALIA_DATA, "letters/a", content);
    expect(findFile(file, environment)).toBe(nearer);
    expect(await loadFile(file, { environment })).toEqual(content);
  });

  it("passes over a folder of the file's name", () => {
    const environment = emptyEnvironment();
    mkdirSync(join(environment.MARGINALIA_DATA, "letters/a"), { recursive: true });
    expect(findFile(file, environment)).toBeUndefined();
  });

  it("names every place when the file is nowhere", async () => {
    const environment = emptyEnvironment();
    const error = await failure(loadFile(file, { environment }));
    expect(error.reason).toBe("missing");
    for (const part of [
      "letters/a was not found",
      `${environment.MARGINALIA_DATA} (MARGINALIA_DATA, no such folder)`,
      `${paths.data} (shipped with the project)`,
      join(environment.MARGINALIA_CACHE, "data"),
      "no address to download it from",
      "set MARGINALIA_DATA to a folder that holds letters/a or letters/a.gz",
    ]) {
      expect(error.message).toContain(part);
    }
    const unset = await failure(loadFile(file, { environment: { MARGINALIA_CACHE: environment.MARGINALIA_CACHE } }));
    expect(unset.message).toContain("MARGINALIA_DATA (not set)");
    const off = await failure(
      loadFile({ ...file, mirrors: ["http://127.0.0.1:9/a.gz"] }, { environment, download: false }),
    );
    expect(off.message).toContain("downloading is off");
  });

  it.each([
    ["truncated gzip", gzipSync(content).subarray(0, 40), /not whole as gzip/],
    ["truncated plain", content.subarray(0, 100), /100 bytes instead of 6000/],
    ["empty", new Uint8Array(0), /0 bytes instead of 6000/],
    [
      "one byte changed",
      Uint8Array.from(content, (byte, i) => (i === 7 ? byte ^ 1 : byte)),
      /sha256 [0-9a-f]{12}… instead of/,
    ],
    ["gzip of too much", gzipSync(Buffer.concat([content, content])), /longer than 6000 bytes/],
    [
      "damaged gzip",
      Uint8Array.from(gzipSync(content), (byte, i) => (i > 20 && i < 30 ? 0xff : byte)),
      /not whole as gzip/,
    ],
  ])("refuses a %s file in one sentence that names it and the remedy", async (_, stored, what) => {
    const environment = emptyEnvironment();
    const path = put(environment.MARGINALIA_DATA, "letters/a", stored);
    const error = await failure(loadFile(file, { environment }));
    expect(error.reason).toBe("damaged");
    expect(error.message).toMatch(what);
    expect(error.message).toContain(`The data file ${path} cannot be used`);
    expect(error.message).toMatch(/delete it or put a whole copy in its place, then run again\.$/);
    expect(error.message).not.toContain("\n");
  });
});

describe("findDatasets", () => {
  it("always has what is shipped, and says which files of the others are missing", () => {
    const environment = emptyEnvironment();
    put(environment.MARGINALIA_DATA, `${catalogue.mnist.files.testLabels.name}.gz`, new Uint8Array(3));
    const [mnist, optdigits] = findDatasets(environment);
    expect(mnist).toMatchObject({ name: "mnist", found: false, licence: "CC BY-SA 3.0" });
    expect(mnist.missing).toEqual([
      "mnist/train-images-idx3-ubyte",
      "mnist/train-labels-idx1-ubyte",
      "mnist/t10k-images-idx3-ubyte",
    ]);
    expect(mnist.paths).toEqual([join(environment.MARGINALIA_DATA, "mnist/t10k-labels-idx1-ubyte.gz")]);
    expect(optdigits).toMatchObject({ name: "optdigits", found: true, missing: [] });
    expect(optdigits.paths).toHaveLength(3);
  });
});
