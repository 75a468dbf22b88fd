import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { checkWritable, type Pair, readPair, writePair } from "../../src/optimize/checkpointFiles.js";

/** The power fails at this operation on files, counted from 1, and everything after it fails too. */
const power = vi.hoisted(() => ({ failsAt: Number.POSITIVE_INFINITY, operations: 0 }));

vi.mock("node:fs/promises", async (importActual) => {
  const actual = await importActual<typeof import("node:fs/promises")>();
  const lost = (): boolean => ++power.operations >= power.failsAt;
  const failing =
    <A extends unknown[], R>(operation: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (lost()) throw new Error("the power failed");
      return operation(...args);
    };
  const handle = (file: FileHandle): Partial<FileHandle> => ({
    writeFile: async (content) => {
      if (!lost()) return file.writeFile(content);
      await file.writeFile((content as Uint8Array | string).slice(0, content.toString().length / 2)); // half of it arrives
      throw new Error("the power failed");
    },
    sync: failing(() => file.sync()),
    close: () => file.close(), // a dead process holds no file
  });
  return {
    ...actual,
    mkdir: failing(actual.mkdir as (...args: unknown[]) => Promise<unknown>),
    readdir: failing(actual.readdir as (...args: unknown[]) => Promise<unknown>),
    rename: failing(actual.rename),
    rm: failing(actual.rm),
    open: failing(async (...args: Parameters<typeof actual.open>) => handle(await actual.open(...args))),
  };
});

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "checkpoint-"));
  path = join(folder, "deep", "run.1");
  Object.assign(power, { failsAt: Number.POSITIVE_INFINITY, operations: 0 });
});
afterEach(() => rmSync(folder, { recursive: true }));

const pair = (n: number): Pair => ({ record: { n }, data: Uint8Array.of(n, n + 1, n + 2) });
const read = async (): Promise<unknown> => {
  const found = await readPair(path);
  return found && { n: found.record.n, data: [...found.data] };
};
const content = (n: number) => ({ n, data: [n, n + 1, n + 2] });
const files = (): string[] => readdirSync(join(folder, "deep")).sort();

describe("a record and its data", () => {
  it("are read as they were written, and leave nothing of those before", async () => {
    expect(await read()).toBeUndefined();
    await writePair(path, "7", pair(1));
    expect(await read()).toEqual(content(1));
    await writePair(path, "8", pair(2));
    expect(await read()).toEqual(content(2));
    expect(files()).toHaveLength(2);
    expect(files()[0]).toMatch(/^run\.1\.8-[0-9a-f]{8}\.safetensors$/);
    expect(files()[1]).toBe("run.1.json");
  });

  it("stay those before or become the new ones wherever the power fails, and the next ones clear what is left", async () => {
    await writePair(path, "1", pair(1));
    const kept = join(folder, "kept");
    cpSync(join(folder, "deep"), kept, { recursive: true });
    const seen = new Set<number>();
    for (let failsAt = 1; ; failsAt++) {
      rmSync(join(folder, "deep"), { recursive: true });
      cpSync(kept, join(folder, "deep"), { recursive: true });
      Object.assign(power, { failsAt, operations: 0 });
      const done = await writePair(path, "2", pair(5)).then(
        () => true,
        () => false,
      );
      Object.assign(power, { failsAt: Number.POSITIVE_INFINITY });
      const now = (await read()) as { n: number };
      expect(now).toEqual(content(now.n));
      seen.add(now.n);
      if (done) break;
      await writePair(path, "3", pair(9));
      expect(await read()).toEqual(content(9));
      expect(files()).toHaveLength(2);
    }
    expect([...seen]).toEqual([1, 5]);
    expect(power.operations).toBeGreaterThan(10);
  });

  it("leave files alone that are not theirs", async () => {
    await writePair(path, "1", pair(1));
    const others = [
      "run.json",
      "run.10.5-01234567.safetensors",
      "run.1.best.safetensors",
      ".run.10.json.3-4.tmp",
      "run.1.csv",
    ];
    for (const name of others) writeFileSync(join(folder, "deep", name), "");
    const left = [".run.1.json.99-0.tmp", ".run.1.4-0123abcd.safetensors.99-1.tmp", "run.1.4-0123abcd.safetensors"];
    for (const name of left) writeFileSync(join(folder, "deep", name), "");
    await writePair(path, "2", pair(2));
    expect(files()).toEqual(expect.arrayContaining(others));
    for (const name of left) expect(files()).not.toContain(name);
  });

  it("are refused in a sentence when damaged", async () => {
    await writePair(path, "1", pair(1));
    const [data, json] = files().map((name) => join(folder, "deep", name)) as [string, string];
    const text = readFileSync(json, "utf8");
    writeFileSync(data, Uint8Array.of(1, 2));
    const remedy = "Remove it, or give resume: false to start anew.";
    await expect(read()).rejects.toThrow(
      /data file run\.1\.1-.*\.safetensors has changed since it was written\. Remove/,
    );
    rmSync(data);
    await expect(read()).rejects.toThrow(/data file run\.1\.1-.*\.safetensors is missing/);
    writeFileSync(json, text.slice(0, -10));
    await expect(read()).rejects.toThrow(`The checkpoint ${path}.json cannot be used: it is not JSON. ${remedy}`);
    for (const wrong of ["null", "{}", '{"data":{"file":"../../secret"}}']) {
      writeFileSync(json, wrong);
      await expect(read()).rejects.toThrow("it names no data file");
    }
  });

  it("say why they cannot be written", async () => {
    writeFileSync(join(folder, "deep"), "");
    const message = `Cannot write the checkpoint ${path}: part of its path is a file, not a folder. Choose another path`;
    await expect(checkWritable(path)).rejects.toThrow(message);
    await expect(writePair(path, "1", pair(1))).rejects.toThrow(message);
  });

  it("can be tried beforehand without a trace", async () => {
    await checkWritable(path);
    expect(files()).toEqual([]);
  });
});
