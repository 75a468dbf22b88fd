import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { bayesLogistic } from "../../src/data/bayesLogistic.js";
import { catalogue, type DatasetRecord } from "../../src/data/catalogue.js";
import { glyphs } from "../../src/data/glyphs.js";
import { sha256 } from "../../src/data/verify.js";

/** `data/manifest.json`: what the project ships or generates. Each sha256 is of the uncompressed content. */
interface Manifest {
  readonly shipped: readonly {
    readonly path: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly source: string;
    readonly licence: string;
  }[];
  readonly generated: readonly {
    readonly name: string;
    readonly generator: string;
    readonly seed: number;
    readonly train: number;
    readonly test: number;
    readonly licence: string;
    readonly sha256: Readonly<Record<string, string>>;
  }[];
}

const folder = fileURLToPath(new URL("../../data/", import.meta.url));
const manifest: Manifest = JSON.parse(readFileSync(`${folder}manifest.json`, "utf8"));
const readme = readFileSync(`${folder}README.md`, "utf8");

describe("data/manifest.json", () => {
  it("lists every file that is shipped, and only those", () => {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !["manifest.json", "README.md"].includes(entry.name))
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(folder.length).replace(/^\//, ""));
    expect(manifest.shipped.map(({ path }) => path).sort()).toEqual(files.sort());
  });

  it.each(manifest.shipped)("$path has the length and sha256 it states, and the readme repeats", (entry) => {
    const content = gunzipSync(readFileSync(folder + entry.path));
    expect([content.length, sha256(content)]).toEqual([entry.bytes, entry.sha256]);
    expect(readme).toContain(entry.sha256);
  });

  it("agrees with the catalogue that the loaders use", () => {
    const records: readonly DatasetRecord[] = Object.values(catalogue);
    const shipped = records
      .filter((record) => record.shipped)
      .flatMap(({ files, source, licence }) =>
        Object.values(files).map(({ name, bytes, sha256 }) => ({ path: `${name}.gz`, bytes, sha256, source, licence })),
      );
    expect(manifest.shipped).toEqual(shipped);
  });

  it("has the glyphs' sha256, so that they are the same bytes on every machine", async () => {
    const entry = manifest.generated.find(({ name }) => name === "glyphs")!;
    const { train, test, licence } = await glyphs({ train: entry.train, test: entry.test, seed: entry.seed });
    expect(entry.licence).toBe(licence);
    expect({
      trainImages: sha256(train.images),
      trainLabels: sha256(train.labels),
      testImages: sha256(test.images),
      testLabels: sha256(test.labels),
    }).toEqual(entry.sha256);
    for (const sum of Object.values(entry.sha256)) expect(readme).toContain(sum);
    const standard = await glyphs();
    expect([standard.train.count, standard.test.count]).toEqual([entry.train, entry.test]);
    expect(sha256(standard.train.images)).toBe(entry.sha256.trainImages);
  });
  it("has the generated waveform's sha256 too, of its numbers as text", async () => {
    const entry = manifest.generated.find(({ name }) => name === "waveform-generated")!;
    const { train, test, licence } = await bayesLogistic("waveform-generated", {
      waveform: { train: entry.train, test: entry.test, seed: entry.seed },
    });
    expect(entry.licence).toBe(licence);
    const sums = [train, test].map(({ values }) => sha256(new TextEncoder().encode(values.join(","))));
    expect({ train: sums[0], test: sums[1] }).toEqual(entry.sha256);
    for (const sum of sums) expect(readme).toContain(sum);
    const standard = await bayesLogistic("waveform-generated");
    expect([standard.train.rows, standard.test.rows]).toEqual([entry.train, entry.test]);
    expect(manifest.generated).toHaveLength(2);
  });
});
