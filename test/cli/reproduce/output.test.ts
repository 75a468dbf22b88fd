import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkWritable, makeStaging } from "../../../src/cli/reproduce/output.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "output-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("checkWritable", () => {
  it("makes the folder and leaves nothing in it", () => {
    const made = join(folder, "a", "b");
    checkWritable(made);
    expect(readdirSync(made)).toEqual([]);
  });

  it("says in a sentence why a folder cannot be written, with the option that names it", () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(() => checkWritable(join(file, "figures"))).toThrow(/Cannot write to .*a file, not a folder.*--output/);
    expect(() => checkWritable(file, { option: "--out" })).toThrow(/Cannot write to .*a file, not a folder.*--out\./);
  });

  it("returns at once below a folder that holds no folders", () => {
    expect(() => checkWritable("/proc/marginalia/figures")).toThrow(/Cannot write to \/proc\/marginalia/);
  });

  it.skipIf(process.getuid?.() === 0)("refuses a read-only folder", () => {
    chmodSync(folder, 0o555);
    expect(() => checkWritable(folder)).toThrow(/permission is denied/);
    chmodSync(folder, 0o755);
  });

  it("refuses a disk that is nearly full", () => {
    expect(() => checkWritable(folder, { free: () => 1e6 })).toThrow(/nearly full \(1\.0 MB free/);
    expect(() => checkWritable(folder, { free: () => 1e9 })).not.toThrow();
  });
});

describe("makeStaging", () => {
  const write = (path: string, text: string): void => {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
  };

  it("replaces a notebook's folder whole, and leaves the others", () => {
    write(join(folder, "iwae", "01-a", "old.svg"), "old");
    write(join(folder, "iwae", "02-b", "kept.svg"), "kept");
    const staging = makeStaging(folder);
    write(join(staging.folder("iwae/01-a"), "new.svg"), "new");
    staging.publish("iwae/01-a");
    staging.remove();
    expect(readdirSync(join(folder, "iwae", "01-a"))).toEqual(["new.svg"]);
    expect(readFileSync(join(folder, "iwae", "02-b", "kept.svg"), "utf8")).toBe("kept");
    expect(readdirSync(folder)).toEqual(["iwae"]);
  });

  it("publishes nothing for a notebook that wrote nothing", () => {
    write(join(folder, "iwae", "01-a", "old.svg"), "old");
    const staging = makeStaging(folder);
    staging.publish("iwae/01-a");
    expect(existsSync(join(folder, "iwae", "01-a", "old.svg"))).toBe(true);
  });

  it("sweeps up what a killed run left, and nothing of a run that lives", () => {
    // No process has this id: Linux and macOS stop far below.
    mkdirSync(join(folder, ".unfinished-99999999", "iwae"), { recursive: true });
    mkdirSync(join(folder, `.unfinished-${process.ppid}`));
    makeStaging(folder);
    expect(readdirSync(folder).sort()).toEqual([`.unfinished-${process.pid}`, `.unfinished-${process.ppid}`].sort());
  });
});
