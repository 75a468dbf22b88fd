import { createRequire } from "node:module";
import { afterEach, describe, expect, it, vi } from "vitest";
import { display, displayUpdatable, inNotebook } from "../../src/notebook/display.js";

const hook = Symbol.for("marginalia.display");
afterEach(() => {
  Reflect.deleteProperty(globalThis, hook);
  vi.restoreAllMocks();
});

describe("display", () => {
  it("writes only the text in plain Node, and nothing for updates", () => {
    const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    expect(inNotebook()).toBe(false);
    display({ data: { "text/plain": "a table", "text/html": "<table></table>" } });
    displayUpdatable({ data: { "text/plain": "0 %" } }).update({ data: { "text/plain": "50 %" } });
    expect(write.mock.calls.map(([text]) => text)).toEqual(["a table\n", "0 %\n"]);
  });

  it("gives whole bundles to the kernel, updates under one display id of their own", () => {
    const publish = vi.fn();
    Reflect.set(globalThis, hook, publish);
    expect(inNotebook()).toBe(true);
    display({ data: { "text/plain": "x", "image/png": "…" }, metadata: { "image/png": { width: 3 } } });
    const [one, two] = [
      displayUpdatable({ data: { "text/plain": "0" } }),
      displayUpdatable({ data: { "text/plain": "0" } }),
    ];
    one.update({ data: { "text/plain": "1" } });
    two.update({ data: { "text/plain": "2" } });
    expect(publish.mock.calls[0]).toEqual([
      { data: { "text/plain": "x", "image/png": "…" }, metadata: { "image/png": { width: 3 } } },
      false,
    ]);
    const ids = publish.mock.calls.slice(1).map(([message, update]) => [message.transient.display_id, update]);
    expect(ids[0]![0]).not.toBe(ids[1]![0]);
    expect(ids.map(([, update]) => update)).toEqual([false, false, true, true]);
    expect([ids[2]![0], ids[3]![0]]).toEqual([ids[0]![0], ids[1]![0]]);
  });

  it("finds plain tslab where it runs, and reads its publisher late", () => {
    const { cache } = createRequire(import.meta.url);
    const name = "/somewhere/node_modules/tslab/dist/jupyter.js";
    const [first, second] = [vi.fn(), vi.fn()];
    const exports: { lastWriteDisplayData: unknown } = { lastWriteDisplayData: first };
    cache[name] = { exports } as NodeJS.Module;
    try {
      display({ data: { "text/plain": "1" } });
      exports.lastWriteDisplayData = second;
      display({ data: { "text/plain": "2" } });
      expect(first).toHaveBeenCalledOnce();
      expect(second).toHaveBeenCalledOnce();
    } finally {
      delete cache[name];
    }
  });
});
